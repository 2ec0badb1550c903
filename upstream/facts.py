"""The events that an upstream protocol tells of, and how a session is to be. Frozen data, without I/O.

A `reply` is one response of the model, numbered from 1 on each connection. An `ask` is the number of what is
answered: ours for what we asked, -1, -2 and so on, on each connection, for the turns that the upstream heard in a
stream by itself.
"""

from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

BYTES_PER_MS = 48  # of all audio: PCM16 little-endian, mono, 24 kHz
FRAMES_AT_ONCE = 25  # 5 s of a stream, encoded in 0.2 ms, or 10 s of a clip, in 1 ms: a turn of the loop

Role: TypeAlias = Literal["user", "assistant"]
Status: TypeAlias = Literal["completed", "cancelled", "failed", "incomplete"]


@dataclass(frozen=True, slots=True)
class Setup:
    """How a session is to be: sent whole, before any audio. `voice` is a Realtime voice, `language` ISO 639-1.

    With `listens` the upstream finds the caller's turns in a stream of audio by itself (server VAD); without, each
    turn is committed by us.
    """

    instructions: str
    voice: str
    language: str
    listens: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation; an assistant's holds only the words that were heard, a system's tell how to be."""

    role: Role | Literal["system"]
    text: str


@dataclass(frozen=True, slots=True)
class Configured:
    """The upstream took the newest Setup, with the voice asked for, and holds the seeded turns.

    `expires_at` is when the session ends at the latest, in seconds since 1970, if the upstream has said so. `listens`
    as it was told last: what the upstream makes of a SetTurnDetection may be still to come.
    """

    expires_at: float | None = None
    listens: bool = False


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
class ReplyWords:
    """Some more words of a reply; the audio that comes next says them."""

    reply: int
    text: str


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
class Postponed:
    """The upstream is over its limit: this ask is asked again in so many seconds.

    Nothing of `reply` will come; it is 0 where none had begun.
    """

    reply: int
    ask: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Used:
    """Tokens that an answer or a transcript came to; `*_cached` is part of `*_in`. Transcripts by tokens or seconds."""

    text_in: int = 0
    text_cached: int = 0
    text_out: int = 0
    audio_in: int = 0
    audio_cached: int = 0
    audio_out: int = 0
    transcribed: int = 0
    transcribed_seconds: float = 0.0

    def __add__(self, other: "Used") -> "Used":
        return Used(*(getattr(self, at.name) + getattr(other, at.name) for at in fields(self)))


@dataclass(frozen=True, slots=True)
class Allowance:
    """What our account has left of something ("requests", "tokens") until it is reset."""

    what: str
    remaining: float
    resets_in: float


@dataclass(frozen=True, slots=True)
class Transcribed:
    """The words of a spoken ask, as the upstream's recogniser wrote them; empty when it heard none.

    With `final` False some more of them, else all.
    """

    ask: int
    text: str
    final: bool = True


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began to speak, `at_ms` into all the audio that this connection was ever sent.

    `behind` is the ask that was on its way meanwhile, 0 if none: the upstream hears of it only after this.
    """

    ask: int
    at_ms: int
    behind: int = 0


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The caller stopped speaking, `at_ms` into all the audio that this connection was ever sent."""

    ask: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Committed:
    """A turn that the upstream heard by itself is whole, and will be answered."""

    ask: int


@dataclass(frozen=True, slots=True)
class Unusable:
    """The connection cannot serve: `fatal` when another try would fail the same way (our key, our quota, our bug)."""

    code: str
    message: str
    fatal: bool


Event: TypeAlias = (
    Configured | ReplyBegan | ReplyAudio | ReplyWords | ReplyEnded | AskFailed | Transcribed | SpeechStarted
    | SpeechStopped | Committed | Postponed | Used | Allowance | Unusable
)  # fmt: skip


# What a link tells.


@dataclass(frozen=True, slots=True)
class LinkBegan:
    """The connection is being dialled from now on; before, it waited for others. Not told of one that ended before."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One text frame from the upstream: JSON in UTF-8."""

    data: bytes


@dataclass(frozen=True, slots=True)
class LinkEnded:
    """The socket is gone, for good; told exactly once. `code` is its close code, 1006 when there was none."""

    code: int
    reason: str


LinkEvent: TypeAlias = LinkBegan | Frame | LinkEnded
