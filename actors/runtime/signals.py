"""The messages and the snapshot that all actors have in common."""

from dataclasses import dataclass
from typing import Any

from actors.runtime.ref import LoopRef, Ref


@dataclass(frozen=True, slots=True)
class Boot:
    """The first message of every actor."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Finish what is under way, then end."""


@dataclass(frozen=True, slots=True)
class Down:
    """A child has ended; it is not coming back. `cause` is None if it ended without a failure."""

    ref: LoopRef[Any]
    name: str
    incarnation: int
    cause: BaseException | None


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer fired; `message` is handled if this is still the timer that is set for its type."""

    message: Any


class MailboxOverflow(Exception):
    """More than `most_waiting` messages wait for an actor: whoever tells it is at fault."""


class ChildrenDone:
    """Told to an actor that is ending: its children have ended, or their time is over."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The observable state of an actor at one moment. `cause` is the failure by which it ends, None without one."""

    parent: Ref[Down] | None
    children: tuple[LoopRef[Any], ...]
    cause: BaseException | None
