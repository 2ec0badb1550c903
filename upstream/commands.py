"""The commands that a session with a speech-to-speech model obeys. Frozen data, in the words of any API.

upstream/protocol.py says who obeys them. An `ask` numbers what is to be answered, from 1, and must be new on its
connection: the events about that answer (upstream/facts.py) carry the same number. All audio is PCM16 little-endian,
mono, 24 kHz.
"""

from dataclasses import dataclass
from typing import TypeAlias

from upstream.facts import ReplyNumber, Setup, Turn, TurnId
from upstream.hot_message import hot_message


@dataclass(frozen=True, slots=True)
class ConfigureSession:
    """Make the session what `setup` says, then add `turns` to its conversation; Configured follows.

    May come again, with another setup, until the first audio or ask.
    """

    setup: Setup
    turns: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class UpdateInstructions:
    """Follow these instructions from the next answer on; voice, turn detection and conversation stay."""

    instructions: str


@dataclass(frozen=True, slots=True)
class SetTurnDetection:
    """Find the caller's turns in the audio appended from now on (server VAD), or wait for clips.

    Configured follows if that is a change.
    """

    listens: bool


@hot_message
class Append:
    """More of the caller's voice, of any length. Only while turn detection is on."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class AskClip:
    """Answer one whole recorded utterance, of 100 ms at least. Only while turn detection is off."""

    ask: TurnId
    pcm: bytes


@dataclass(frozen=True, slots=True)
class AskText:
    """Answer a typed turn."""

    ask: TurnId
    text: str


@dataclass(frozen=True, slots=True)
class Greet:
    """Speak exactly these words."""

    ask: TurnId
    words: str


@dataclass(frozen=True, slots=True)
class ContinueReply:
    """Speak the rest of the answer that a lost connection began; what was heard of it is the last of the turns."""

    ask: TurnId


@dataclass(frozen=True, slots=True)
class Prove:
    """Write one word. It is billed like any answer, so that an answer proves that the account is served."""

    ask: TurnId


@dataclass(frozen=True, slots=True)
class CancelReply:
    """Cancel the reply under way, and answer nothing that was asked so far; what was asked stays in the conversation.

    `overdue`: the reply had its time, and the next ask does not wait for the upstream to end it.
    """

    overdue: bool = False


@dataclass(frozen=True, slots=True)
class TruncateReply:
    """Make the model remember only what the caller heard of a reply: `heard_ms` from its start, rounded down."""

    reply: ReplyNumber
    heard_ms: int


@dataclass(frozen=True, slots=True)
class Retry:
    """Ask again what was Postponed: its seconds are over."""


@dataclass(frozen=True, slots=True)
class EndOverdueReply:
    """End a reply that was said whole: nothing came for several seconds, and the event of its end must be lost."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Cancel the reply under way and ask nothing more; transcripts that are still to come are told."""


Command: TypeAlias = (
    ConfigureSession | UpdateInstructions | SetTurnDetection | Append | AskClip | AskText | Greet | ContinueReply
    | Prove | CancelReply | TruncateReply | Retry | EndOverdueReply | Leave
)  # fmt: skip
