"""The personas: a file of them, read, checked, and searched. A catalogue is a value; loading again makes another."""

import datetime
import functools
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import orjson

from personas.check import CatalogueBroken, Fault, shape_faults
from personas.languages import code_of
from personas.matching import Match, best
from personas.persona import Persona
from personas.prompt import build
from personas.reader import read_persona
from personas.shared import Shared, share
from schemas import Refused
from schemas.sentences import Parts, nearest, path_of

__all__ = ["SHIPPED", "Catalogue", "CatalogueBroken", "Fault", "Match", "Persona"]

SHIPPED = Path(__file__).with_name("astrologer_personas.json")

_LARGEST_FILE = 8 * 1024 * 1024  # bytes; thousands of personas
_NAMED = 10  # ids that a refusal names


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everyone in a file who has no fault, by id in the file's order, and the faults of the file.

    `memory` is what a persona knows of a caller's turns with others: "private", "shared" or "none".
    """

    personas: Mapping[str, Persona]
    faults: tuple[Fault, ...]
    memory: str

    @classmethod
    def load(cls, path: Path | str = SHIPPED) -> Self:
        """Read a file; raises CatalogueBroken if it cannot be read, is not JSON, or holds nobody without a fault."""
        return cls.from_data(_read_json(Path(path)))

    @classmethod
    def from_data(cls, data: object) -> Self:
        """The same from decoded JSON: an object as personas.schema.json has it, or a bare list of astrologers."""
        try:
            return cls(*_read(data))
        except RecursionError:
            raise CatalogueBroken([Fault("$", "is nested too deeply to be read.")]) from None

    def get(self, astrologer_id: str) -> Persona:
        """The active persona of this id; raises Refused: unknown_astrologer or inactive_astrologer."""
        persona = self.personas.get(astrologer_id)
        if persona is None:
            asked = astrologer_id[:64]
            hint = nearest(asked, self.personas)
            raise Refused("unknown_astrologer", f"There is no astrologer '{asked}'.{hint} {self._choices()}")
        if persona.status != "active":
            raise Refused("inactive_astrologer", f"{persona.name} takes no calls now. {self._choices()}")
        return persona

    def all(self) -> tuple[Persona, ...]:
        """Everyone, in the file's order."""
        return tuple(self.personas.values())

    def active(self) -> tuple[Persona, ...]:
        """Everyone who can be called, in the file's order."""
        return self.find(status="active")

    def find(
        self,
        *,
        language: str | None = None,
        gender: str | None = None,
        speciality: str | None = None,
        status: str | None = None,
    ) -> tuple[Persona, ...]:
        """Everyone who fits all that is given, in any case; a language is an English name or an ISO 639-1 code."""
        wanted = {"gender": gender, "speciality": speciality, "status": status}
        return tuple(
            persona
            for persona in self.all()
            if (not language or _speaks(persona, language))
            and all(not value or _same(getattr(persona, name), value) for name, value in wanted.items())
        )

    def match(self, query: str, language: str | None = None, limit: int = 3) -> tuple[Match, ...]:
        """The active personas that a caller's words speak of, best first; empty when they speak of none."""
        return best(self.find(language=language, status="active"), query, limit)

    def instructions(self, persona: Persona, *, today: datetime.date, profile: Mapping[str, str] | None = None) -> str:
        """The prompt of a call with this persona, which may be of an earlier catalogue; see personas/prompt.py.

        Interned: it is some 11 KB, and all callers of a persona on a day hold the same.
        """
        return sys.intern(build(persona, today=today, profile=profile))

    def _choices(self) -> str:
        ids = [persona.id for persona in self.active()]
        if not ids:
            return "Nobody takes calls now; try again later."
        more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
        return f"Choose one of: {', '.join(ids[:_NAMED])}{more}."


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.strip().casefold()


def _speaks(persona: Persona, language: str) -> bool:
    return _same(persona.language_code, language) or persona.language_code == code_of(language)


def _read_json(path: Path) -> object:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CatalogueBroken([Fault("$", f"cannot read {path}: {error.strerror}.")]) from error
    if len(raw) > _LARGEST_FILE:
        raise CatalogueBroken([Fault("$", f"has {len(raw)} bytes; at most {_LARGEST_FILE} are read.")])
    try:
        return orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))  # some editors begin a file with a byte order mark
    except orjson.JSONDecodeError as error:
        raise CatalogueBroken([Fault("$", f"is not JSON: {error}.")]) from error


def _read(data: object) -> tuple[Mapping[str, Persona], tuple[Fault, ...], str]:
    rows, rest, at = _parts(data)
    shared, faults = share(_shipped_rest() | rest)
    good: dict[str, Persona] = {}
    for persona, found in _each(rows, at, shared):
        faults += found
        if persona:
            good[persona.id] = persona
    if not good:
        raise CatalogueBroken(faults or [Fault(path_of(at), "has no astrologers. Add one.")])
    return MappingProxyType(good), tuple(faults), shared.memory


def _each(rows: list[object], at: Parts, shared: Shared) -> Iterator[tuple[Persona | None, list[Fault]]]:
    first: dict[object, str] = {}
    for index, row in enumerate(rows):
        here = (*at, index)
        persona, faults = read_persona(row, here, shared)
        name = row.get("astrologer_id") if isinstance(row, dict) else None
        if isinstance(name, str) and first.setdefault(name, path_of(here)) != path_of(here):
            message = f"'{name}' is taken by {first[name]}. Give each astrologer an id of its own."
            persona, faults = None, [*faults, Fault(path_of((*here, "astrologer_id")), message, name)]
        yield persona, faults


def _parts(data: object) -> tuple[list[object], dict[str, Any], Parts]:
    """The rows, everything else, and where the rows stand."""
    if isinstance(data, list):
        return data, {}, ()
    if not isinstance(data, dict):
        raise CatalogueBroken([Fault("$", "must be an object with the field astrologers, or a list of astrologers.")])
    rows = data.get("astrologers")
    if not isinstance(rows, list):
        raise CatalogueBroken(shape_faults("catalogue", data, ()))
    return rows, {key: value for key, value in data.items() if key != "astrologers"}, ("astrologers",)


@functools.cache
def _shipped_rest() -> dict[str, Any]:
    """What a file leaves out is as in the file that ships."""
    _, rest, _ = _parts(_read_json(SHIPPED))
    return rest
