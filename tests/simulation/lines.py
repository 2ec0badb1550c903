"""One connection of a caller's to the server, which is lost in part or whole; who hears the answer to an attempt."""

from typing import Any, Protocol

from actors.call.resume.ledger import Frame
from actors.messages.admission import Admitted, From
from actors.messages.caller import Close, FromCaller, ToCaller
from actors.messages.resuming import NotResumed, Resumed
from actors.testing.fragile import FragileLine, Written
from tests.simulation.world import World

LATEST = 8.0  # seconds by which a line that is nearly dead holds up what the caller says
TRICKLE = (0, 0, 1, 3)  # frames that come over it in 0.3 s


class Owner(Protocol):
    """The network of which a line is a connection."""

    world: World
    line: "Line"
    serving: "Line"

    @property
    def session(self) -> Any:
        """The session of the call."""
        ...

    def number(self) -> int:
        """That of the next text frame of this call."""
        ...

    def writes(self, line: "Line", message: Any) -> None:
        """The server tells this connection something, whether it arrives or not."""
        ...

    def comes(self, line: "Line", message: FromCaller) -> None:
        """The session is told this over this connection, and listens to it or not."""
        ...

    def receive(self, line: "Line", message: Any, number: int) -> None:
        """It has arrived, in the text frame of this number; -1 if it is in none."""
        ...


class Line(FragileLine):
    """`deaf`: what the caller says is lost. `slow`: what both say comes late, or after the line is left, or never."""

    def __init__(self, owner: Owner, number: int) -> None:
        super().__init__()
        self.owner, self.number = owner, number
        self.deaf = self.slow = False
        self.seen_at = self._seen_at
        self._quiet_since: float | None = None
        self._heard_at = self._said_last = 0.0

    # What the server says.

    def tell(self, message: Any, /) -> None:
        """Write it, or let it wait."""
        self.owner.writes(self, message)
        super().tell(message)

    def frame(self, message: ToCaller) -> Frame:
        """Text frames are numbered as they come into being: so their order is known, and that none is missing."""
        frame = super().frame(message)
        if isinstance(frame, Written) and not hasattr(frame, "number"):
            frame.number = self.owner.number()  # type: ignore[attr-defined]
        return frame

    def arrives(self, message: Any, frame: Frame | None = None) -> None:
        """The network hears of it."""
        self.owner.receive(self, message, getattr(frame, "number", -1))

    # What the caller says.

    def carry(self, message: FromCaller) -> None:
        """It reaches the session at once, late, or never."""
        if self.deaf:
            return
        if not self.slow:
            self._deliver(message)
            return
        world = self.owner.world
        self._said_last = max(self._said_last, world.now + LATEST * world.random.random())
        world.after(self._said_last - world.now, self._deliver, message)

    def _deliver(self, message: FromCaller) -> None:
        world = self.owner.world
        self._heard_at = world.now
        if self.slow:
            world.note(f"late {self.number}", message)
            world.seen["late", "over the newest" if self is self.owner.serving else "over one that was left"] += 1
        self.owner.comes(self, message)
        self.owner.session.tell(From(self.number, message))

    # Its end.

    def silence(self) -> None:
        """From now on only what is on its way is a sign of life on it."""
        if self._quiet_since is None:
            self._quiet_since = self.owner.world.now

    def trickle(self) -> None:
        """Nearly nothing comes through any more."""
        if self.full and not self.dead:
            self.drain(self.owner.world.random.choice(TRICKLE))
            self.owner.world.after(0.3, self.trickle)

    def _seen_at(self) -> float | None:
        if self._quiet_since is None:
            return self.owner.world.now
        return max(self._quiet_since, self._heard_at)


class Verdict:
    """The answer to an attempt, which is told to nobody if another was made since."""

    def __init__(self, network: Any, line: Line) -> None:
        self.network, self.line = network, line

    def tell(self, message: Admitted | NotResumed, /) -> None:
        """Who is refused has no call."""
        if isinstance(message, NotResumed) and self.line is self.network.line:
            self.network.refused(message)


class Ignored:
    """Nobody hears the answer."""

    def tell(self, message: Any, /) -> None:
        """It is lost."""


class Never:
    """The answer to somebody who has no right to the call, or asked too late: it must be no."""

    def __init__(self, world: World, name: str, who: str) -> None:
        self.world, self.what = world, f"{name}: the call is given to {who}"

    def tell(self, message: Admitted | NotResumed, /) -> None:
        """They are told so."""
        if isinstance(message, Admitted):
            self.world.wrong(self.what)


def is_for_a_line_that_was_left(message: Any) -> bool:
    """True if a connection may be told it when the call has gone on over another."""
    return isinstance(message, Resumed) or (isinstance(message, Close) and message.code == 4410)
