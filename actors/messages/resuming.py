"""What a session says to a caller who may come back to their call, or is back (docs/wire.md)."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from actors.messages.caring import HelpNumber
from personas.meter import Bill


@dataclass(frozen=True, slots=True)
class ResumeOffer:
    """The call goes on over another connection, for so many `seconds`; `attach` is the number of this one.

    `node` is the server that has the call, for the address of that connection; None if it has no name.
    """

    token: str
    attach: int
    seconds: int
    node: str | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """The call comes from another node, as that saved it last.

    `lost_ms`: what was said in the time before may be missing, at most of so long; 0 if nothing is. `asked_again`: an
    answer was owed, and is asked for again. `forgotten`: nothing that was said is known here.
    """

    lost_ms: int
    asked_again: bool
    forgotten: Literal[True] | None = None
    node: str | None = None
    """That has the call now, as of ResumeOffer."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The call goes on over this connection, which is the one of number `attach`.

    `received` are the frames that were handled on the connection before, with `moved` as far as that was saved.
    `uplink_ms`: so much of what the microphone took since, the newest of it, is to be sent.
    """

    attach: int
    received: int
    away_ms: int
    uplink_ms: int
    moved: Moved | None = None


NotResumedCode: TypeAlias = Literal["unknown", "stale", "too_much", "ended", "unavailable"]


@dataclass(frozen=True, slots=True)
class NotResumed:
    """The call does not go on. `bill` and `help` are those of a call that has ended.

    `text` are the words of the replies that were not heard to their end, where their sound is given up.
    """

    code: NotResumedCode
    message: str
    bill: Bill | None = None
    text: str = ""
    help: tuple[HelpNumber, ...] = ()


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text frame as it was written, or was to be, on a connection that is lost."""

    frame: bytes
