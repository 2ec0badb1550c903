"""What every actor may be told besides its own messages."""

from dataclasses import dataclass
from typing import Any

from actors.runtime.ref import LoopRef


@dataclass(frozen=True, slots=True)
class Boot:
    """The first message of every actor."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Finish what you are doing, then end."""


@dataclass(frozen=True, slots=True)
class Down:
    """A child has ended, for good. `cause` is None for a quiet end."""

    ref: LoopRef[Any]
    name: str
    incarnation: int
    cause: BaseException | None


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer fired; it counts only while `alarm` is the one that is set."""

    message: Any
    alarm: object


class MailboxOverflow(Exception):
    """More messages wait for an actor than its producers can have been meant to send: one of them is at fault."""


class ChildrenDone:
    """Told to an actor that is ending: the time that its children had is over."""
