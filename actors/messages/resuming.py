"""What a session says to a caller who may come back to their call, or is back (docs/wire.md)."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from personas.meter import Bill


@dataclass(frozen=True, slots=True)
class ResumeOffer:
    """The call goes on over another connection, for so many `seconds`; `attach` is the number of this one."""

    token: str
    attach: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """The call goes on over this connection, which is the one of number `attach`.

    `received` are the frames that were handled on the connection before. `uplink_ms`: so much of what the microphone
    took since, the newest of it, is to be sent.
    """

    attach: int
    received: int
    away_ms: int
    uplink_ms: int


NotResumedCode: TypeAlias = Literal["unknown", "stale", "too_much", "ended"]


@dataclass(frozen=True, slots=True)
class NotResumed:
    """The call does not go on: another begins on this connection. `bill` is that of a call that has ended.

    `text` are the words of the replies that were not heard to their end, where their sound is given up.
    """

    code: NotResumedCode
    message: str
    bill: Bill | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text frame as it was written, or was to be, on a connection that is lost."""

    frame: bytes
