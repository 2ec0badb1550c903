"""The network between one caller and the server, which is lost and comes back, and a client that comes back with it.

It does what docs/wire.md asks of a client: it counts what it received and what it sent, and sends what was not handled.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from actors.messages.admission import Admitted, Connected, Detached, From, Resume
from actors.messages.caller import (
    AudioResponse,
    Chose,
    Close,
    ConfigAck,
    FromCaller,
    HungUp,
    Interrupted,
    Receipt,
    Recorded,
    Sound,
    Spoke,
    Typed,
)
from actors.messages.identity import Identity
from actors.messages.resuming import NotResumed, Resumed, ResumeOffer
from actors.testing.fragile import FragileLine
from tests.simulation.world import World

ACK_BYTES = 96_000
WORTH_SECONDS = 10.0  # before, a call is not kept


class Line(FragileLine):
    """One connection of a caller's; what is received on it goes to the network."""

    def __init__(self, network: "Network", number: int) -> None:
        super().__init__()
        self.network, self.number, self.deaf = network, number, False

    def tell(self, message: Any, /) -> None:
        """Of what is written the network hears once it is received."""
        before = len(self._told)
        super().tell(message)
        for told in self._told[before:]:
            self.network.receive(self, told)


@dataclass(eq=False)
class Network:
    """Of one caller: `caller` is told what comes, as if there were no network."""

    world: World
    random: Random
    caller: Any
    offer: ResumeOffer | None = None
    offered_at: float = 0.0
    line: Line = field(init=False)
    up: bool = True
    attach: int = 0
    received: int = 0  # on the connection that `attach` names
    unacknowledged: int = 0  # bytes of sound
    sent: list[FromCaller] = field(default_factory=list)  # on that connection
    aside: list[FromCaller] = field(default_factory=list)
    numbers: int = 0
    losses: int = 0
    unanswered: int = 0
    excused: bool = False  # the call may end without a fault of anybody's

    def connect(self) -> None:
        """The call begins."""
        self.line = self._new()
        self.caller.supervisor.tell(Connected(Identity(self.caller.user), self.line.number, self.line))
        self._soon()

    def _new(self) -> Line:
        self.numbers += 1
        return Line(self, self.caller.call * 1000 + self.numbers)

    # What goes through it.

    def say(self, message: FromCaller) -> None:
        """The caller says something."""
        if not self.up:
            self.aside.append(message)
            return
        self.sent.append(message)
        if not self.line.deaf:
            self.caller.session.tell(From(self.line.number, message))

    def receive(self, line: Line, message: Any) -> None:
        """Something has come over this connection."""
        if line is not self.line:
            if not isinstance(message, Close) or message.code != 4410:
                self.world.wrong(f"{self.caller.ear.name}: {message} comes over a connection that was left")
            return
        match message:
            case Admitted():
                self.caller.tell(message)
            case Resumed():
                self._resumed(message)
            case NotResumed():
                raise AssertionError("it is told to the verdict")
            case _:
                self.received += not isinstance(message, Close)
                if isinstance(message, ConfigAck) and message.resume:
                    self.offer, self.offered_at = message.resume, self.world.now
                self.caller.tell(message)
                self._acknowledge(message)

    def _acknowledge(self, message: Any) -> None:
        self.unacknowledged += len(message.pcm) if isinstance(message, Sound) else 0
        if self.offer and (isinstance(message, AudioResponse) or self.unacknowledged >= ACK_BYTES):
            self.unacknowledged = 0
            self.say(Receipt(self.received))

    def hang_up(self) -> None:
        """The caller leaves: whichever of its connections the session has, it ends."""
        for number in range(1, self.numbers + 1):
            self.caller.session.tell(Detached(self.caller.call * 1000 + number, Close(1000, "hung up")))

    # What happens to it.

    def _soon(self) -> None:
        self.world.after(self.random.uniform(0.5, 6.0), self._act)

    def _act(self) -> None:
        if self.caller.gone or self.caller.ear.closed:
            return
        worth = self.offer and self.world.now - self.offered_at > WORTH_SECONDS
        whole = self.up and not (self.line.dead or self.line.deaf)
        if worth and whole and not self.world.healed and self.random.random() < 0.7:
            self._lose()
        if not self.world.healed:
            self._soon()

    def _lose(self) -> None:
        """The connection is lost: at once for both ends, or one of them or neither knows it."""
        self.losses += 1
        line, how = self.line, self.random.choice(["cut", "half", "deaf", "dead"])
        self.world.note(self.caller.ear.name, f"its line is lost: {how}")
        line.dead, line.deaf = how != "deaf", how != "dead"
        if how == "cut":
            self._known(line)
        else:
            self.world.after(self.random.choice([0.5, 2.0, 5.0]), self._notice, line)
        if how in ("cut", "half") and self.random.random() < 0.7:
            self.world.after(self.random.choice([0.0, 0.0, 1.0, 6.0]), self._detached, line)
        if how != "cut" and self.caller.speaking:
            self.world.garbled = True  # our silence closes a turn that only stands still

    def _detached(self, line: Line) -> None:
        """The server learns of it."""
        self.caller.session.tell(Detached(line.number))

    def _notice(self, line: Line) -> None:
        if line is self.line and self.up:
            self._known(line)

    def _known(self, line: Line) -> None:
        """The client knows that it is lost, and reads no more of it."""
        line.dead = line.deaf = True
        self.up, self.caller.patience.away = False, True
        self.world.after(self.random.choice([0.1, 0.3, 2.0, 8.0, 15.0]), self._knock)

    def _knock(self) -> None:
        """Ask for the call; perhaps twice at a time, and perhaps the answer is lost."""
        if self.caller.gone or self.up:
            return
        fate = self.random.choice(["well", "well", "well", "lost", "twice", "stolen"])
        self.world.note(self.caller.ear.name, f"asks for its call: {fate}")
        if fate == "stolen":
            self._ask(self._new(), "thief", Stolen(self))
            self._ask(self._new(), self.caller.user, Stolen(self), token="guessed")
        if fate == "twice":
            other = self._new()
            other.dead = True
            self._ask(other, self.caller.user, Ignored())
        line = self._new()
        line.dead = fate == "lost"
        self.line = line
        self._ask(line, self.caller.user, Verdict(self, line))
        if fate == "lost":
            self.unanswered += 1
            line.deaf = True
            self.world.after(self.random.choice([0.2, 3.0]), self._knock)

    def _ask(self, line: Line, user: str, verdict: Any, token: str = "") -> None:
        assert self.offer
        where = (token or self.offer.token, self.attach, self.received)
        self.caller.supervisor.tell(Resume(user, line.number, line, verdict, *where))

    def _resumed(self, resumed: Resumed) -> None:
        """The call goes on: what was not handled is sent, and what was recorded meanwhile."""
        if resumed.received > len(self.sent):
            self.world.wrong(f"{self.caller.ear.name} sent {len(self.sent)} frames, {resumed.received} were handled")
        again, aside, left = self.sent[resumed.received :], list[FromCaller](), resumed.uplink_ms * 48
        for message in reversed(self.aside):
            if isinstance(message, Spoke):
                left -= len(message.pcm)
                if left < 0:
                    self.caller._did("lost")
                    self.world.garbled = True
                    continue
            if not isinstance(message, Receipt):
                aside.insert(0, message)
        self.attach, self.received, self.unacknowledged = resumed.attach, 0, 0
        self.sent, self.aside, self.up = [], [], True
        if len({_kind(message) for message in (*again, *aside)} - {""}) > 1:
            self.caller.ear.mixed = True
            self.caller._did("mixed")  # what was spoken, and what was recorded since, come at one moment
        for message in (*again, *aside):
            if not isinstance(message, Receipt):  # of another connection
                self.say(message)

    def refused(self, told: NotResumed) -> None:
        """The call is over."""
        self.world.note(self.caller.ear.name, told)
        left = any(isinstance(message, HungUp) for message in self.sent)
        calm = self.world.weather.calm and not self.excused and not left
        whole = told.code == "too_much" and (self.caller.ear.sent_whole or self.losses + self.unanswered > 2)
        if (told.code in ("stale", "too_much") or calm) and not whole:
            self.world.wrong(f"{self.caller.ear.name} may not come back: {told.code}")
        self.hang_up()  # as another call of theirs would end it
        self.caller.vanish()


def _kind(message: FromCaller) -> str:
    match message:
        case Spoke():
            return "stream"
        case Recorded() | Typed() | Chose() | Interrupted():
            return "turn"
    return ""


class Verdict:
    """The answer to an attempt of this network's."""

    def __init__(self, network: Network, line: Line) -> None:
        self.network, self.line = network, line

    def tell(self, message: Admitted | NotResumed, /) -> None:
        """Who is refused has no call."""
        if isinstance(message, NotResumed) and self.line is self.network.line:
            self.network.refused(message)


class Ignored:
    """Nobody hears the answer."""

    def tell(self, message: Any, /) -> None:
        """It is lost."""


class Stolen:
    """The answer to somebody who has no right to the call."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def tell(self, message: Admitted | NotResumed, /) -> None:
        """It must be no."""
        if isinstance(message, Admitted):
            self.network.world.wrong(f"{self.network.caller.ear.name}: the call is given to a thief")
