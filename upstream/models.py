"""What is known of the models by name: what they can do, when they retire, what they cost. Read from models.json.

The capabilities at the head of the file are those of the GA Realtime API; a model that differs says in what.
"""

from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

LOCAL = "local-engine"  # the name of the engine that comes with the server


@dataclass(frozen=True, slots=True)
class Languages:
    """What a model can hear and speak; `of` is what callers are told that it is.

    `heard` are the ISO 639-1 codes of what it recognises, `scripts` the ISO 15924 codes of what it reads out. Empty
    ones stand for all.
    """

    of: str = "the model"
    heard: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a connection to a model can do.

    `mutable_voice` and `mutable_instructions`: they may be changed on an open session, the voice until it has
    produced audio. `session_seconds` is how long a session lasts at most. Without `counts_tokens`
    it estimates them by rules of thumb, which say nothing of what another model would count.
    """

    mutable_voice: bool = True
    mutable_instructions: bool = True
    truncate: bool = True
    cancel: bool = True
    session_seconds: float = 3600.0
    counts_tokens: bool = True
    languages: Languages = field(default_factory=Languages)


@dataclass(frozen=True, slots=True)
class Prices:
    """In US dollars for a million tokens, as they were on the day `of`."""

    text_in: float
    text_cached: float
    text_out: float
    audio_in: float
    audio_cached: float
    audio_out: float
    of: str


@dataclass(frozen=True, slots=True)
class Model:
    """One of them; `retires` is the day on which it is shut down, `prices` are None where we do not know them."""

    name: str
    can: Capabilities
    retires: str | None = None
    prices: Prices | None = None
    known: bool = True

    @property
    def doubts(self) -> list[str]:
        """What to warn of before it is used."""
        shuts = [f"the model {self.name} shuts down on {self.retires}"] if self.retires else []
        unknown = f"the model {self.name} is not known here: it is taken to do what the Realtime API promises"
        return shuts if self.known else [unknown]


@cache
def named(name: str) -> Model:
    """The model of this name; of one that is not in the file what the API promises is believed."""
    file = _file()
    row = file["models"].get(name)
    known = row or {}
    prices = known.get("usd_per_million")
    return Model(
        name,
        _capabilities({**file["capabilities"], **known.get("capabilities", {})}),
        known.get("retires"),
        Prices(**prices, of=file["prices_of"]) if prices else None,
        known=row is not None,
    )


def names() -> tuple[str, ...]:
    """The names of the models in the file."""
    return tuple(_file()["models"])


def _capabilities(said: dict[str, Any]) -> Capabilities:
    languages = said.pop("languages")
    heard, scripts = tuple(languages["heard"]), tuple(languages["scripts"])
    return Capabilities(**said, languages=Languages(languages["of"], heard, scripts))


@cache
def _file() -> dict[str, Any]:
    file: dict[str, Any] = orjson.loads(files("upstream").joinpath("models.json").read_bytes())
    return file
