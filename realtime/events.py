"""What is said to the upstream protocol, and the facts that it says of the upstream. Frozen, without I/O.

A `reply` is one response of the model, numbered from 1 on each connection. An `ask` is the caller's own number
for what it asked the model to answer.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["user", "assistant"]
Status: TypeAlias = Literal["completed", "cancelled", "failed", "incomplete"]


@dataclass(frozen=True, slots=True)
class Setup:
    """How a session is to be: sent whole, before any audio. `voice` is a Realtime voice, `language` ISO 639-1."""

    instructions: str
    voice: str
    language: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the conversation so far, for seeding; an assistant's holds only the words that were heard."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Configured:
    """The upstream took the newest Setup, with the voice asked for, and holds the seeded turns."""


@dataclass(frozen=True, slots=True)
class ReplyBegan:
    reply: int
    ask: int


@dataclass(frozen=True, slots=True)
class ReplyAudio:
    """PCM16 little-endian, mono, 24 kHz; a burst, far faster than real time."""

    reply: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """`text` is what the model said aloud, whole also when the reply was cut; `reason` says why it is not complete."""

    reply: int
    ask: int
    status: Status
    text: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AskFailed:
    """The upstream would not even begin to answer."""

    ask: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Heard:
    """The words of a spoken ask, as the upstream's recogniser wrote them; empty when it heard none."""

    ask: int
    text: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """The connection cannot serve: `fatal` when another try would fail the same way (our key, our quota, our bug)."""

    code: str
    message: str
    fatal: bool


Event: TypeAlias = Configured | ReplyBegan | ReplyAudio | ReplyEnded | AskFailed | Heard | Unusable


# What a link tells.


@dataclass(frozen=True, slots=True)
class LinkUp:
    """The WebSocket is open; the key is not checked yet."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One text frame from the upstream."""

    data: str


@dataclass(frozen=True, slots=True)
class LinkEnded:
    """The socket is gone, for good; told exactly once. `code` is its close code, 1006 when there was none."""

    code: int
    reason: str


LinkEvent: TypeAlias = LinkUp | Frame | LinkEnded
