"""What a session wants done, as frozen data: for whoever drives it, moves the bytes and does the work."""

from dataclasses import dataclass
from typing import TypeAlias

from realtime.server.settings import Event
from realtime.server.tools import Toolbox
from upstream.facts import Turn


@dataclass(frozen=True, slots=True)
class Send:
    """Send this event, `after` so many seconds."""

    event: Event
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Hear:
    """Transcribe PCM16 24 kHz mono; `language` is ISO 639-1, or None if it is not known."""

    item_id: str
    pcm: bytes
    language: str | None


@dataclass(frozen=True, slots=True)
class Think:
    """Find what to answer to the turns.

    `refusable`: it will be spoken, and no work was done for it yet, so that it may still be refused. With `tools` the
    answer may be calls of functions.
    """

    response_id: str
    instructions: str
    turns: tuple[Turn, ...]
    refusable: bool = True
    tools: Toolbox | None = None


@dataclass(frozen=True, slots=True)
class Speak:
    """Say the text, piece by piece."""

    response_id: str
    text: str
    voice: str


@dataclass(frozen=True, slots=True)
class Halt:
    """Stop thinking and speaking for this response."""

    response_id: str


Act: TypeAlias = Send | Hear | Think | Speak | Halt
