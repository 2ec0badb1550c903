"""What a call is to another node that goes on with it. Frozen values, and their bytes.

A version adds fields and never changes what a field means. A node reads its own version and both neighbours: what is
missing is as by default, and what it does not know it keeps and writes again (`other`, `Record.keeping`), so that a
call may move from a new node to an old one and back, in the middle of an upgrade. What was said stands in turns,
profile and question alone, so that a node of any version can leave it out. Texts are valid Unicode.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from register.reading import Unreadable, known, plain, read

VERSION = 1
READABLE = range(VERSION - 1, VERSION + 2)
MOST_BYTES = 64 * 1024  # of a record; the oldest turns are left out of a larger one

Others = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls, and the limits that were fixed when they came in. None and an empty mode: no such limit."""

    user: str
    personas: tuple[str, ...] | None = None
    mode: str = ""
    seconds: float | None = None
    micro: int | None = None
    age_least: int | None = None
    """In years, as far as something is known of it: at least so old, and younger than `age_under`."""
    age_under: int | None = None
    other: Others = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Said:
    """A turn of the conversation as it was heard. `ask` is its number in the call, `role` user or assistant."""

    ask: int
    role: str
    persona: str
    text: str = field(repr=False)
    other: Others = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Price:
    """As in the file of personas when the persona was chosen: `per_minute` in the smallest unit of `currency`."""

    per_minute: int
    currency: str
    digits: int
    free_seconds: int = 0
    whole_minutes: bool = False
    other: Others = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Metered:
    """The time with a persona at one price, in ms, and what was charged for it in the smallest unit of the currency.

    `versions` are those of its entry, the latest at the end.
    """

    persona: str
    ms: int
    versions: tuple[str, ...] = ()
    price: Price | None = None
    cost: int = 0
    other: Others = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Question:
    """What waits for an answer: a turn (`typed`, `clip`, `speech`) or a `greeting`. The text, if it is known."""

    kind: str
    ask: int = 0
    text: str = field(default="", repr=False)
    other: Others = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Care:
    """What the call was worried about (`kinds`), and the seconds that a caller in danger was silent or kept."""

    kinds: tuple[str, ...] = ()
    silent_seconds: float = 0.0
    kept_seconds: float = 0.0
    country: str = ""
    """Of which the caller was told the numbers."""
    spoken: bool = True
    """Help was named to them aloud, or need not be."""
    other: Others = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Record:
    """A call as it was saved. Times are in seconds since 1970."""

    identity: Identity
    persona: str
    """The one on the line."""
    persona_version: str
    mode: str
    """`clip` or `stream`."""
    began: float
    """When the call began, on whichever node."""
    saved: float
    turns: tuple[Said, ...] = ()
    """The oldest first."""
    profile: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the caller told of themselves, by the names of its fields."""
    words: bool = True
    """False: turns, profile and the text of the question were left out."""
    meter: tuple[Metered, ...] = ()
    told_ms: int = 0
    """Priced ms of which the caller was told: the bill never falls below."""
    spent_tokens: int = 0
    """By the model's work for this call; and in money, in millionths of a dollar."""
    spent_micro: int = 0
    switches: tuple[float, ...] = ()
    """When the caller switched to another persona, as far as that still counts."""
    question: Question | None = None
    heard_ms: int = 0
    """Of the last reply."""
    answers: int = 0
    """How many replies came to an end: the greeting, and answers. Its caller may come back to a call that had two."""
    greeted: bool = False
    silent: bool = False
    """Nothing was said after this: the call fell silent so that another node may have it."""
    attach: int = 0
    """The caller's connection, and how many of its frames were handled."""
    handled: int = 0
    attach_before: int = 0
    """The connection before, and how many of its frames were: a caller who was not told of the newest one names it."""
    handled_before: int = 0
    last_turn: int = 0
    """The highest number of a turn, and of a connection to the model: those to come have higher ones."""
    generations: int = 0
    disclosed: bool = False
    """The caller has heard that they speak with an AI."""
    care: Care = field(default_factory=Care)
    other: Others = field(default_factory=dict, repr=False)

    def handled_of(self, attach: int) -> int:
        """How many frames of this connection of the caller's were handled, as far as is known."""
        return {self.attach_before: self.handled_before, self.attach: self.handled}.get(attach, 0)

    def without_words(self) -> "Record":
        """The same call without what was said or told."""
        question = self.question and replace(self.question, text="", other={})
        return replace(self, turns=(), profile={}, question=question, words=False)

    def keeping(self, before: "Record") -> "Record":
        """The same call, with what a neighbouring version added to an earlier record of it.

        That is kept of the call, and of each turn, price and question that is as it was.
        """
        said, stays = {known(one): one for one in before.turns}, {_stay(one): one for one in before.meter}
        same = self.question and before.question and known(self.question) == known(before.question)
        return replace(
            self,
            identity=replace(self.identity, other=before.identity.other),
            turns=tuple(said.get(known(one), one) for one in self.turns),
            meter=tuple(_like(one, stays.get(_stay(one))) for one in self.meter),
            question=before.question if same else self.question,
            care=replace(self.care, other=before.care.other),
            other=before.other,
        )


def encode(record: Record) -> bytes:
    """The bytes of a record: MOST_BYTES at most, as long as its turns alone make it larger."""
    value = {**plain(record), "version": VERSION}
    encoded = orjson.dumps(value)
    while len(encoded) > MOST_BYTES and value.get("turns"):
        value["turns"] = value["turns"][1 + len(value["turns"]) // 8 :]
        encoded = orjson.dumps(value)
    return encoded


def decode(encoded: bytes) -> Record:
    """The record of these bytes. Raises Unreadable: they are of a version too far away, or no record."""
    try:
        value = orjson.loads(encoded)
    except ValueError:
        raise Unreadable("it is no JSON") from None
    version = value.pop("version", None) if isinstance(value, dict) else None
    if version not in READABLE:
        raise Unreadable(f"it has version {version!r:.20}, and version {VERSION} is spoken here")
    return read(Record, value)


def _stay(metered: Metered) -> Hashable:
    """With whom, and at which price."""
    return metered.persona, known(metered.price)


def _like(now: Metered, before: Metered | None) -> Metered:
    return replace(now, price=before.price, other=before.other) if before else now
