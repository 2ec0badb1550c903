"""The server events of the API that we read, as frozen data: what of them counts, by the names that we use for it.

realtime/client/incoming.py makes them of frames. A `response` and an `item` are ids of the upstream's;
an item is empty where an event does not name it.
"""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from realtime.client.fields import Fields
from upstream.facts import NO_TURN, Allowance, Status, TurnId, Used


class AudioDelta(NamedTuple):
    """Up to 50 a second: a tuple is made in half the time of a frozen dataclass."""

    response: str
    pcm: bytes
    item: str = ""


@dataclass(frozen=True, slots=True)
class WordsDelta:
    response: str
    words: str
    item: str = ""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of what a response writes and does not say."""

    response: str
    words: str
    item: str = ""


@dataclass(frozen=True, slots=True)
class WordsDone:
    response: str
    words: str
    item: str = ""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    item: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    item: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class BufferCommitted:
    item: str


@dataclass(frozen=True, slots=True)
class TranscriptDelta:
    item: str
    words: str


@dataclass(frozen=True, slots=True)
class TranscriptDone:
    """The words of an item of the caller's; empty where the recogniser failed."""

    item: str
    text: str
    used: Used | None


@dataclass(frozen=True, slots=True)
class RateLimits:
    allowances: tuple[Allowance, ...]


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """`event_id` is that of the event of ours which it refuses; empty where it says none."""

    code: str
    message: str
    event_id: str


@dataclass(frozen=True, slots=True)
class ResponseCreated:
    """`ask` is the number that we gave it in its metadata; 0 when it has none: the upstream answers by itself."""

    response: str
    ask: TurnId = NO_TURN


@dataclass(frozen=True, slots=True)
class ItemAdded:
    """The item of a response is in the conversation."""

    response: str
    item: str


@dataclass(frozen=True, slots=True)
class ItemDone:
    """The item of a response is over; `complete`: all of it was said."""

    response: str
    complete: bool


@dataclass(frozen=True, slots=True)
class ResponseDone:
    """A response is over; `reason` is the code of its error, or why else it is not complete; `items` are all of it.

    `words` are those of it that are in writing.
    """

    response: str
    ask: TurnId
    status: Status
    reason: str
    message: str
    items: tuple[str, ...]
    used: Used | None
    words: str = ""


@dataclass(frozen=True, slots=True)
class SessionCreated:
    expires_at: float | None


@dataclass(frozen=True, slots=True)
class SessionUpdated:
    """The session as the upstream shows it. What it leaves out is None or empty.

    `shows_turn_detection`: turn detection was not left out, so that None means that it is off. The voice may be of any
    type: all that we ask is whether it is the one that we asked for.
    """

    voice: object
    instructions: str | None
    modalities: object
    hears: Fields
    speaks: Fields
    shows_turn_detection: bool
    turn_detection: Fields | None
    expires_at: float | None


@dataclass(frozen=True, slots=True)
class Other:
    """An event of which we read nothing but that it came."""

    kind: str


ServerEvent: TypeAlias = (
    AudioDelta | WordsDelta | WordsDone | TextDelta | SpeechStarted | SpeechStopped | BufferCommitted | TranscriptDelta
    | TranscriptDone | RateLimits | ErrorEvent | ResponseCreated | ItemAdded | ItemDone | ResponseDone | SessionCreated
    | SessionUpdated | Other
)  # fmt: skip
