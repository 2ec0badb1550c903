"""What all of one run share: its chance, its clock, its log, what was spoken in it, and what went wrong."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.simulation.sound import Sounds

PERSONAS = {
    "tina_kulkarni_vedic_marriage": ("marin", "Ta Tb Tc Td"),
    "mohit_vedic_marriage": ("cedar", "Ma Mb Mc"),
    "priyanka_vedic_love": ("shimmer", "Pa Pb Pc Pd Pe"),
    "harsh_dubey_vedic_love": ("echo", "Ha Hb"),
}
VOICES = {id_: voice for id_, (voice, _) in PERSONAS.items()}
GREETINGS = {voice: words.split() for voice, words in PERSONAS.values()}


class Bomb:
    """Told to an actor, it makes it crash: nobody handles this."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the simulated mind says to the turns that it knew: `turns` are the words of the caller's among them."""

    name: str
    words: tuple[str, ...]
    turns: frozenset[str]


@dataclass
class Weather:
    """How things go in one run; rates are chances, `calm` has none of what goes wrong."""

    calm: bool
    lose: float = 0.0  # of a connection to be lost in its first seconds
    refuse: float = 0.0  # of a connect to fail
    late: float = 0.0  # of an event to be held up, and all after it
    fail: float = 0.0  # of a clip not to be decoded
    bombs: float = 0.0
    stall: float = 0.0  # of a response to fall silent in the middle

    @classmethod
    def draw(cls, random: Random) -> "Weather":
        if random.random() < 0.4:
            return cls(calm=True, late=random.choice([0, 0.02]))
        lose, refuse, late, fail = (random.choice([0, 0, most / 4, most]) for most in (0.4, 0.2, 0.1, 0.1))
        bombs = random.choice([0, 0, 0.1])
        return cls(False, lose, refuse, late, fail, bombs, stall=random.choice([0, 0, 0.1, 0.5]))


@dataclass
class World:
    """One run. Whoever sees something wrong says `wrong`; the run stops there, and prints the log."""

    seed: int
    random: Random = field(init=False)
    weather: Weather = field(init=False)
    sounds: Sounds = field(default_factory=Sounds)
    answers: dict[str, Answer] = field(default_factory=dict)
    log: list[tuple[float, str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    streamed: set[str] = field(default_factory=set)  # the words that callers said in a stream
    garbled: bool = False  # something did not reach the model as we said it
    damaged: set[str] = field(default_factory=set)  # the names of answers that did not come as they were said
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)  # what was drawn of the callers' lines
    undecoded: set[bytes] = field(default_factory=set)  # the clips that no decoder takes: nothing was said in them
    draining: bool = False  # the server is told to end
    healed: bool = False  # nothing new goes wrong from here on
    fixed: dict[str, list[str]] = field(default_factory=dict)  # by name, the words that callers must hear

    def __post_init__(self) -> None:
        self.random = Random(f"world {self.seed}")
        self.weather = Weather.draw(self.random)

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def after(self, seconds: float, do: Callable[..., Any], *args: Any) -> None:
        asyncio.get_running_loop().call_later(seconds, do, *args)

    def chance(self, rate: float) -> bool:
        """True that often, while things still go wrong."""
        return not self.healed and self.random.random() < rate

    def note(self, who: str, what: Any) -> None:
        self.log.append((self.now, who, what))

    def wrong(self, what: str) -> None:
        self.note("WRONG", what)
        self.faults.append(what)

    def answer(self, words: int, turns: frozenset[str]) -> Answer:
        """A new answer of so many words, each of two letters of its own."""
        name = chr(0x100 + len(self.answers))
        answer = Answer(name, tuple(name + chr(ord("a") + place) for place in range(words)), turns)
        self.answers[name] = answer
        return answer
