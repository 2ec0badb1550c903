"""The events that an upstream protocol tells of, and how a session is to be. Frozen data, without I/O.

An `ask` is the turn that is answered, a `reply` a response of the model.
"""

from dataclasses import dataclass, fields
from typing import Literal, NewType, TypeAlias

BYTES_PER_MS = 48  # of all audio: PCM16 little-endian, mono, 24 kHz
ACCOUNT_CLOSES = (3000, 4000)  # close codes: key and model are checked after the handshake
FRAMES_AT_ONCE = 25  # 5 s of a stream, encoded in 0.2 ms, or 10 s of a clip, in 1 ms: a turn of the loop

TurnId = NewType("TurnId", int)
"""What is answered: ours for what we asked; -1, -2 and so on, on each connection, for the turns that the upstream finds
in a stream by itself."""

NO_TURN = TurnId(0)

ReplyNumber = NewType("ReplyNumber", int)
"""A response of the model, from 1 on each connection."""

NO_REPLY = ReplyNumber(0)

Role: TypeAlias = Literal["user", "assistant"]
Status: TypeAlias = Literal["completed", "cancelled", "failed", "incomplete"]


@dataclass(frozen=True, slots=True)
class Setup:
    """How a session is to be: sent whole, before any audio. `voice` is a Realtime voice, `language` ISO 639-1.

    With `listens` the upstream finds the caller's turns in a stream of audio by itself (server VAD); without, each turn
    is a clip that we commit.
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
    """The model begins to answer this ask."""

    reply: ReplyNumber
    ask: TurnId


@dataclass(frozen=True, slots=True)
class ReplyAudio:
    """More audio of a reply: PCM16 little-endian, mono, 24 kHz, far faster than real time."""

    reply: ReplyNumber
    pcm: bytes


@dataclass(frozen=True, slots=True)
class ReplyWords:
    """More words of a reply; the audio that comes next says them."""

    reply: ReplyNumber
    text: str


@dataclass(frozen=True, slots=True)
class ReplySaid:
    """All of a reply was said so far: its ReplyEnded is to come, or another item, perhaps after a long thought."""

    reply: ReplyNumber


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """A reply is over. `text` is all that the model said, also if it was cancelled; `reason` why it is not complete.

    If it had no audio, `text` is what the model wrote instead. `full`: it failed because the upstream has too much to
    do; `foreign`: because it does not serve the language.
    """

    reply: ReplyNumber
    ask: TurnId
    status: Status
    text: str
    reason: str = ""
    full: bool = False
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class AskFailed:
    """The upstream refused to answer, and no reply began. `full` and `foreign` as in ReplyEnded."""

    ask: TurnId
    code: str
    message: str
    full: bool = False
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Postponed:
    """The upstream is over its limit: this ask waits for Retry, which is due in so many seconds.

    Nothing more comes of `reply`, which is NO_REPLY if none had begun.
    """

    reply: ReplyNumber
    ask: TurnId
    seconds: float


@dataclass(frozen=True, slots=True)
class Used:
    """Tokens of a reply or a transcript; `*_cached` is part of `*_in`. A transcript is billed by tokens or seconds."""

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
    """The words of a spoken ask, as the upstream's recogniser wrote them; empty if it heard none.

    All of them if `final`, else some more of them.
    """

    ask: TurnId
    text: str
    final: bool = True


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began to speak, `at_ms` into all the audio that this connection was ever sent.

    `behind` is the ask that was on its way meanwhile, if any: the upstream takes it after this, as an ask of its own.
    """

    ask: TurnId
    at_ms: int
    behind: TurnId = NO_TURN


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The caller stopped speaking, `at_ms` into all the audio that this connection was ever sent."""

    ask: TurnId
    at_ms: int


@dataclass(frozen=True, slots=True)
class Committed:
    """A turn that the upstream found by itself is whole, and will be answered."""

    ask: TurnId


@dataclass(frozen=True, slots=True)
class Unusable:
    """The connection cannot serve.

    `fatal`: another try would fail the same way (our key, our quota, our bug). `account`: the upstream refuses our
    account, whatever we ask for (the key, the quota, the model).
    """

    code: str
    message: str
    fatal: bool
    account: bool = False


Event: TypeAlias = (
    Configured | ReplyBegan | ReplyAudio | ReplyWords | ReplySaid | ReplyEnded | AskFailed | Transcribed
    | SpeechStarted | SpeechStopped | Committed | Postponed | Used | Allowance | Unusable
)  # fmt: skip


# What a link tells.


@dataclass(frozen=True, slots=True)
class LinkBegan:
    """The connection is dialled now; before, it waited for others. Not told if it ended while it waited."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One text frame from the upstream: JSON in UTF-8."""

    data: bytes


@dataclass(frozen=True, slots=True)
class LinkEnded:
    """The socket is gone, for good; told exactly once. `code` is its close code, 1006 when there was none."""

    code: int
    reason: str

    @property
    def account(self) -> bool:
        """True if the code says that the upstream refuses our account."""
        return self.code in ACCOUNT_CLOSES


LinkEvent: TypeAlias = LinkBegan | Frame | LinkEnded
