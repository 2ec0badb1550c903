"""What a call is to another node that goes on with it. Frozen values, and their bytes.

A version adds fields and never changes what a field means. A node reads its own version and both neighbours: what is
missing is as by default, and what it does not know it keeps and writes again (`other`), so that a call may move from a
new node to an old one and back, in the middle of an upgrade. Texts are valid Unicode.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from register.reading import Unreadable, plain, read

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
    """The time with a persona at one price, in ms. `versions` are those of its entry, the latest at the end."""

    persona: str
    ms: int
    versions: tuple[str, ...] = ()
    price: Price | None = None
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
    free_seconds: int = 0
    """Of those of the user's day, used up."""
    switches: tuple[float, ...] = ()
    """When the caller switched to another persona, as far as that still counts."""
    question: Question | None = None
    heard_ms: int = 0
    """Of the last reply."""
    greeted: bool = False
    disclosed: bool = False
    """The caller has heard that they speak with an AI."""
    care: Care = field(default_factory=Care)
    other: Others = field(default_factory=dict, repr=False)

    def without_words(self) -> "Record":
        """The same call without what was said or told."""
        question = self.question and replace(self.question, text="")
        return replace(self, turns=(), profile={}, question=question, words=False)


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
