"""Faults on demand: what one connection does wrong, and when, as data."""

from dataclasses import dataclass
from typing import Final, TypeAlias

from realtime.server.settings import Event

MESSAGES: Final = {
    "server_error": "The server had an error while processing your request. Sorry about that!",
    "insufficient_quota": "You exceeded your current quota, please check your plan and billing details.",
    "rate_limit_exceeded": "Rate limit reached for tokens per min (TPM). Please try again in 1.2s.",
    "session_expired": "Your session hit its maximum duration.",
}
TYPES: Final = {
    "server_error": "server_error",
    "insufficient_quota": "insufficient_quota",
    "rate_limit_exceeded": "tokens",
}
"""The type of an error that is not the client's: else it is an invalid_request_error."""

# Steps, which are also what a fault may do just as it is.


@dataclass(frozen=True, slots=True)
class Deliver:
    """Send this frame, text or binary, `after` so many seconds; what comes later does not wait for it."""

    frame: str | bytes
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Take:
    """Let the session have this event of the client's."""

    event: Event


@dataclass(frozen=True, slots=True)
class Wait:
    """Say nothing for so many seconds, then go on where it was: at connect a slow handshake."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer the handshake with this HTTP status instead of 101."""

    status: int = 503


@dataclass(frozen=True, slots=True)
class Close:
    """Close with this code and reason."""

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Abort:
    """Cut the connection without a word: the client sees 1006."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Keep the connection, but say nothing and read nothing any more, not even a ping."""


@dataclass(frozen=True, slots=True)
class Fail:
    """End the response under way, if there is one, with response.done `failed` and this error."""

    code: str
    message: str = ""

    @property
    def error(self) -> Event:
        return error_of(self.code, self.message)


Step: TypeAlias = Deliver | Take | Wait | Refuse | Close | Abort | Stall | Fail

# What else a fault may do.


@dataclass(frozen=True, slots=True)
class Error:
    """Send an `error`; with `echo` it names the client's event that it strikes at, and this one is not obeyed."""

    code: str
    message: str = ""
    echo: bool = False


@dataclass(frozen=True, slots=True)
class Expire:
    """End as the real API does at the end of a session's life: `session_expired`, then 1001."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Send an event of a type that nobody knows first."""


@dataclass(frozen=True, slots=True)
class Garbage:
    """Send a text frame that is no JSON first."""


@dataclass(frozen=True, slots=True)
class Late:
    """Of the next response that is cancelled, repeat the last deltas after its response.done."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Let this event come twice."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Lose this event."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Send this event so many seconds later, and what follows it at once: out of order."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Strip:
    """Leave this field of the event away: a path such as `response.usage`."""

    field: str


@dataclass(frozen=True, slots=True)
class Huge:
    """Let the event's delta, or else a field of its own, have so many bytes: beyond 16 MiB unless told."""

    size: int = 17 * 2**20


@dataclass(frozen=True, slots=True)
class Half:
    """Send only the first half of the event's JSON."""


@dataclass(frozen=True, slots=True)
class Binary:
    """Send the event as a binary frame."""


Change: TypeAlias = Duplicate | Drop | Delay | Strip | Huge | Half | Binary
Kind: TypeAlias = (
    Wait
    | Refuse
    | Close
    | Abort
    | Stall
    | Fail
    | Error
    | Expire
    | Unknown
    | Garbage
    | Late
    | Change  # what a fault does
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done the `nth` time that something happens on a connection, or at an age in seconds since the 101.

    `on` is "connect" (before the 101), "open" (before session.created), or the type of an event that is about to be
    sent or was received. What is struck at when it is sent comes after what the fault says, unless that ends it all.
    """

    do: Kind
    on: str | float
    nth: int = 1


def error_of(code: str, message: str) -> Event:
    """What an error says of itself."""
    kind = TYPES.get(code, "invalid_request_error")
    return {"type": kind, "code": code, "message": message or MESSAGES.get(code, f"This went wrong: {code}.")}
