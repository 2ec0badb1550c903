"""Between a session and its OpenAIBridgeActor: what the model is asked, and what it says."""

from dataclasses import dataclass
from typing import TypeAlias

from upstream.facts import Event, Setup, Turn


@dataclass(frozen=True, slots=True)
class Configure:
    """Be this persona, for this choice of the caller's. Only while nothing has been said on the connection."""

    choice: int
    setup: Setup
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class UpdateInstructions:
    """Be the same persona by these instructions, from the next answer on."""

    instructions: str


@dataclass(frozen=True, slots=True)
class Greet:
    ask: int
    words: str


@dataclass(frozen=True, slots=True)
class AskClip:
    """PCM16 little-endian, mono, 24 kHz: one utterance to be answered."""

    ask: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class AskText:
    ask: int
    text: str


@dataclass(frozen=True, slots=True)
class ContinueReply:
    """Bring to its end the answer to this ask that a lost connection began; the turns seeded hold what was heard."""

    ask: int


@dataclass(frozen=True, slots=True)
class Prove:
    """Write one word: it is paid for like any answer, so that it proves that the account is served."""

    ask: int


@dataclass(frozen=True, slots=True)
class Append:
    """Some more of what the caller says: PCM16 little-endian, mono, 24 kHz."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class SetTurnDetection:
    """Find the turns in what is appended, or wait for whole clips."""

    listens: bool


@dataclass(frozen=True, slots=True)
class CancelReply:
    """Stop answering whatever is being answered; `overdue`: do not wait for its end either, it had its time."""

    overdue: bool = False


@dataclass(frozen=True, slots=True)
class TruncateReply:
    """Let the model remember of this reply only what was heard, in ms from its start."""

    reply: int
    heard_ms: int


@dataclass(frozen=True, slots=True)
class Ready:
    """The connection is the persona of this choice, and waits for something to answer.

    From now on it lasts `seconds` at most. `listens` as it was told last: a Listen may be on its way.
    """

    generation: int
    choice: int
    seconds: float = 3600.0
    listens: bool = False


@dataclass(frozen=True, slots=True)
class UpstreamEvent:
    """What the upstream protocol said, on the connection of this generation."""

    generation: int
    event: Event


ToBridge: TypeAlias = (
    Configure
    | UpdateInstructions
    | SetTurnDetection
    | Append
    | Greet
    | AskClip
    | AskText
    | ContinueReply
    | Prove
    | CancelReply
    | TruncateReply
)
FromBridge: TypeAlias = Ready | UpstreamEvent


class UpstreamLost(Exception):
    """The connection to the model is gone; another one may work."""


class UpstreamRefused(Exception):
    """The upstream will not do what we asked for, and would refuse again."""


class AccountRefused(UpstreamRefused):
    """It will not serve us at all, whatever we ask for: the key, the quota, the model."""
