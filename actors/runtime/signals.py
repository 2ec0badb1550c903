"""What every actor may be told besides its own messages, and what each shows of itself."""

from dataclasses import dataclass
from typing import Any

from actors.runtime.ref import LoopRef, Ref


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
    """A timer fired; `message` is handled if this is still the timer that is set for its type."""

    message: Any


class MailboxOverflow(Exception):
    """More messages wait for an actor than its producers can have been meant to send: one of them is at fault."""


class ChildrenDone:
    """Told to an actor that is ending: the time that its children had is over."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The observable state of an actor at one moment. `cause`: by what it ends, while it does and not quietly."""

    parent: Ref[Down] | None
    children: tuple[LoopRef[Any], ...]
    cause: BaseException | None
