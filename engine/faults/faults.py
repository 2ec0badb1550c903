"""Faults on demand, as data: what one connection does wrong, and when.

A `Fault` has a trigger (`on`, `nth`) and a `Kind` of misbehaviour. A `Misbehaviour` turns kinds into `Step`s, which a
connection executes. Some kinds are steps themselves.
"""

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
"""Error code -> type, for errors that are not the client's; all others are of type invalid_request_error."""

# Steps. All but Deliver and Accept are also kinds of faults.


@dataclass(frozen=True, slots=True)
class Deliver:
    """Send a frame, text or binary, `after` so many seconds. Later steps do not wait for it."""

    frame: str | bytes
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Accept:
    """Pass an event of the client to the session."""

    event: Event


@dataclass(frozen=True, slots=True)
class Wait:
    """Send nothing for so many seconds, then continue. Before the 101: a slow handshake."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer the handshake with an HTTP status other than 101."""

    status: int = 503


@dataclass(frozen=True, slots=True)
class Close:
    """Close the WebSocket with this code and reason."""

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Abort:
    """Cut the TCP connection without a close frame: the client sees 1006."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Leave the connection open, but neither read nor send any more, not even pongs."""


@dataclass(frozen=True, slots=True)
class Fail:
    """End the response under way, if there is one, with response.done `failed` and this error."""

    code: str
    message: str = ""

    @property
    def error(self) -> Event:
        return error_of(self.code, self.message)


@dataclass(frozen=True, slots=True)
class Divide:
    """Give the next response of two sentences or more as two items: its first sentence, and the rest."""


Step: TypeAlias = Deliver | Accept | Wait | Refuse | Close | Abort | Stall | Fail | Divide

# Kinds of faults that become steps, or change the event that triggered them.


@dataclass(frozen=True, slots=True)
class Error:
    """Send an `error` event. With `echo`, it has the event_id of the triggering client event, which is ignored."""

    code: str
    message: str = ""
    echo: bool = False


@dataclass(frozen=True, slots=True)
class Expire:
    """End the session as the real API does at its maximum age: the error `session_expired`, then close 1001."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Before the event, send one of an unknown type."""


@dataclass(frozen=True, slots=True)
class Garbage:
    """Before the event, send a text frame that is not JSON."""


@dataclass(frozen=True, slots=True)
class Late:
    """After the response.done of the next cancelled response, send its last deltas again."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Send (or accept) the event twice."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Discard the event."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Send the event so many seconds later. Events after it are not delayed: they overtake it."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Strip:
    """Remove a field of the event, given by a path such as `response.usage`."""

    field: str


@dataclass(frozen=True, slots=True)
class Huge:
    """Make the event's `delta`, or an added field, `size` bytes long; by default more than a frame of 16 MiB."""

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
    | Divide
    | Error
    | Expire
    | Unknown
    | Garbage
    | Late
    | Change  # what a fault does
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. It happens the `nth` time that its trigger `on` occurs on a connection.

    `on` is "connect" (before the 101), "open" (before session.created), the type of an event that is received or about
    to be sent, or a number: an age of the connection in seconds since the 101. The steps of the fault come before the
    triggering event, unless they end the connection.
    """

    do: Kind
    on: str | float
    nth: int = 1


def error_of(code: str, message: str) -> Event:
    """The `error` object of an event, without `param` and `event_id`. An empty message becomes the usual one."""
    kind = TYPES.get(code, "invalid_request_error")
    return {"type": kind, "code": code, "message": message or MESSAGES.get(code, f"This went wrong: {code}.")}
