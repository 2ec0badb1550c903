"""Which upstream connection a session has, wants and is getting: state, and one pure function of it.

Choosing, switching, reopening after a loss: all are the same act, steered by state and not by event. The last
choice wins, and no flow needs states of its own.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

from actors.base import Hired, Stop
from actors.messages import ToBridge
from actors.supervision import SESSION_CHILDREN, Verdict
from personas import Persona


@dataclass(frozen=True, slots=True)
class Selection:
    """A choice of the caller's that was granted; choices are numbered from 1."""

    choice: int
    persona: Persona


@dataclass(frozen=True, slots=True)
class Leg:
    """One upstream connection: a generation, whom it serves, and its bridge once that is hired.

    `ready`: it is whom it serves, and listens if it was told to. `fresh`: it holds no item yet, so that while it is
    coming another persona may still take it over.
    """

    generation: int
    selection: Selection
    bridge: Hired[ToBridge | Stop] | None = None
    ready: bool = False
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """`wanted` by the caller, `live` to them now, `coming` to take over, `retiring` until their last facts are in.

    `ends` are the times of the bridges lost since the last completed reply; `fatal` says that the upstream
    refused in a way that another try would not mend.
    """

    wanted: Selection | None = None
    live: Leg | None = None
    coming: Leg | None = None
    retiring: tuple[Leg, ...] = ()
    ends: tuple[float, ...] = ()
    fatal: bool = False

    def legs(self) -> tuple[Leg, ...]:
        """All connections that are not gone yet."""
        return (*(leg for leg in (self.live, self.coming) if leg), *self.retiring)

    def unready(self) -> "Line":
        """The line once its connections were told something that they must consent to."""
        live, coming = (leg and replace(leg, ready=False) for leg in (self.live, self.coming))
        return replace(self, live=live, coming=coming)

    def readied(self, generation: int, choice: int) -> "Line":
        """The line once the connection of this generation is the persona of this choice."""

        def readied(leg: Leg | None) -> Leg | None:
            meant = leg and leg.generation == generation and leg.selection.choice == choice
            return replace(leg, ready=True) if leg and meant else leg

        return replace(self, live=readied(self.live), coming=readied(self.coming))

    def without(self, generation: int) -> "Line":
        """The line once the connection of this generation is gone."""
        return replace(
            self,
            live=None if self.live and self.live.generation == generation else self.live,
            coming=None if self.coming and self.coming.generation == generation else self.coming,
            retiring=tuple(leg for leg in self.retiring if leg.generation != generation),
        )


@dataclass(frozen=True, slots=True)
class Open:
    """Open a connection for this selection; it becomes `coming`."""

    selection: Selection


@dataclass(frozen=True, slots=True)
class Retune:
    """Let this connection, on which nothing was said, be the wanted persona: `leg`, as it is to come."""

    leg: Leg


@dataclass(frozen=True, slots=True)
class Discard:
    """Nobody wants what this connection was opened for."""

    leg: Leg


@dataclass(frozen=True, slots=True)
class Swap:
    """`coming` takes the line in one step, `live` retires."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet: look again in so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The wanted persona cannot be had: another try would not help, or the budget of tries is spent."""


Move: TypeAlias = Open | Retune | Discard | Swap | Wait | GiveUp


def steer(line: Line, now: float) -> Move | None:
    """What to do next, or None when all is as wanted or under way. `now` is in seconds, on the clock of `ends`."""
    wanted, live, coming = line.wanted, line.live, line.coming
    if wanted is None:
        return None
    if coming is not None:
        if coming.selection == wanted:
            return Swap() if coming.ready else None
        return Retune(replace(coming, selection=wanted, ready=False)) if coming.fresh else Discard(coming)
    if live is not None and live.selection == wanted:
        return None
    policy = SESSION_CHILDREN["bridge"]
    if line.fatal or policy.judge(line.ends, now) is Verdict.ESCALATE:
        return GiveUp()
    if seconds := policy.wait(line.ends, now):
        return Wait(seconds)
    return Open(wanted)
