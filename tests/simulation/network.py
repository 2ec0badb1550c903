"""The network between one caller and the server, which is lost and comes back, and a client that comes back with it.

It does what docs/wire.md asks of a client: it counts what it received and what it sent, and sends what was not handled.
What happens to its connections is drawn in losses.py.
"""

from dataclasses import dataclass, field
from typing import Any

from actors.messages.admission import Admitted, Connected, Detached, Resume
from actors.messages.caller import (
    AudioResponse,
    Chose,
    Close,
    ConfigAck,
    Error,
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
from supervisor import SupervisorSnapshot
from tests.kit.insides import shown
from tests.simulation.lines import Line, Verdict, is_for_a_line_that_was_left
from tests.simulation.till import Till
from tests.simulation.world import World

ACK_BYTES = 96_000
CROSSED_SECONDS = 15.0  # an answer is waited for 10 s, and then asked again


@dataclass(eq=False)
class Network:
    """Of one caller: `caller` is told what comes, as if there were no network."""

    world: World
    caller: Any
    till: Till
    offer: ResumeOffer | None = None
    offered_at: float = 0.0
    line: Line = field(init=False)  # the newest that the client has
    serving: Line = field(init=False)  # the one over which the session goes on
    up: bool = True
    attach: int = 0
    received: int = 0  # on the connection that `attach` names
    unacknowledged: int = 0  # bytes of sound
    sent: list[FromCaller] = field(default_factory=list)  # on that connection
    aside: list[FromCaller] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    losses: int = 0
    unanswered: int = 0
    known_at: float | None = None  # since when the server knows that the caller is away
    grace: float = 0.0
    texts: int = 0  # frames that the session has told
    read: int = 0  # of them so many were received
    excused: bool = False  # the call may end without a fault of anybody's

    def connect(self) -> None:
        """The call begins."""
        self.line = self.serving = self.new()
        self.caller.supervisor.tell(Connected(Identity(self.caller.user), self.line.number, self.line))

    def jumps(self, seconds: float) -> None:
        """The machine stood still: what is due then comes in any order, so who is late by that may be let in."""
        self.grace += seconds if self.known_at is not None else 0.0

    def new(self) -> Line:
        """Another connection."""
        self.lines.append(Line(self, self.caller.call * 1000 + len(self.lines) + 1))
        return self.lines[-1]

    # Of a line.

    @property
    def session(self) -> Any:
        """The session of the call."""
        return self.caller.session

    def number(self) -> int:
        """That of the next text frame."""
        self.texts += 1
        return self.texts - 1

    def writes(self, line: Line, message: Any) -> None:
        """The server tells this connection something."""
        if isinstance(message, Resumed):
            if self.known_at is None:
                self.till.left(self.serving.seen_at() or self.world.now)
            elif self.world.now > self.known_at + self.grace + 0.001:
                self.world.wrong(f"{self.name} is let in {self.world.now - self.known_at:.1f} s after they were lost")
            self.serving, self.known_at = line, None
            self.till.back()
        if line is self.serving:
            self.caller.ear.care.told(message)
            self.till.told(message)

    def comes(self, line: Line, message: FromCaller) -> None:
        """The session is told this over this connection, and listens to it or not."""
        if line is self.serving and self.known_at is None:
            self.caller.ear.care.comes(message)

    def receive(self, line: Line, message: Any, number: int) -> None:
        """Something has come over this connection."""
        if line is not self.line:
            if line is not self.serving and not is_for_a_line_that_was_left(message):
                self.world.wrong(f"{self.name}: {message} comes over a connection that was left")
            return
        crashed = isinstance(message, Error) and message.code == "internal"  # what waited for them is gone
        if number >= 0 and number != self.read and not crashed:
            self.world.wrong(f"{self.name}: {message} is text frame {number}, and {self.read} is due")
        self.read += number >= 0
        match message:
            case Resumed():
                self._resumed(message)
            case NotResumed():
                raise AssertionError("it is told to the verdict")
            case _:
                self._hear(message)

    @property
    def name(self) -> str:
        """Of the call."""
        name: str = self.caller.ear.name
        return name

    def _hear(self, message: Any) -> None:
        if not isinstance(message, Admitted):
            self.received += not isinstance(message, Close)
            self.till.hears(message)
        if isinstance(message, ConfigAck) and message.resume:
            self.offer, self.offered_at = message.resume, self.world.now
        self.caller.tell(message)
        if isinstance(message, AudioResponse) and self.line.slow:
            self.caller.ear.behind = True
        self.unacknowledged += len(message.pcm) if isinstance(message, Sound) else 0
        if self.offer and (isinstance(message, AudioResponse) or self.unacknowledged >= ACK_BYTES):
            self.unacknowledged = 0
            self.say(Receipt(self.received))

    def say(self, message: FromCaller) -> None:
        """The caller says something."""
        if not self.up:
            self.aside.append(message)
            return
        self.sent.append(message)
        self.line.carry(message)

    def hang_up(self) -> None:
        """The caller leaves: whichever of its connections the session has, it ends."""
        if self.known_at is None:
            self.till.over()
        for line in self.lines:
            self.session.tell(Detached(line.number, Close(1000, "hung up")))

    # Away, and back.

    def detached(self, line: Line, how: Close, seen_at: float | None) -> None:
        """The server learns that this connection is gone."""
        if line is self.serving and self.known_at is None:
            self.known_at, self.grace = self.world.now, 5.0 if how.code == 1001 else 30.0
            self.till.left(self.world.now if seen_at is None else seen_at)
        self.session.tell(Detached(line.number, how, seen_at))

    def known(self, line: Line) -> None:
        """The client knows that this one is lost, and reads no more of it."""
        line.dead = line.deaf = True
        line.silence()
        self.up, self.caller.patience.away = False, True

    def knock(self) -> None:
        """Ask for the call over a new connection, which is the client's from now on."""
        self.line = self.new()
        self.ask(self.line, self.caller.user, Verdict(self, self.line))

    def ask(self, line: Line, user: str, verdict: Any, token: str = "", where: tuple[int, int] | None = None) -> None:
        """Somebody asks for this call."""
        assert self.offer
        attach, received = where or (self.attach, self.received)
        secret = token or self.offer.token
        self.caller.supervisor.tell(Resume(user, line.number, line, verdict, secret, attach, received))

    def _resumed(self, resumed: Resumed) -> None:
        """The call goes on: what was not handled is sent, and what was recorded meanwhile."""
        if resumed.received > len(self.sent):
            self.world.wrong(f"{self.name} sent {len(self.sent)} frames, {resumed.received} were handled")
        again, aside, left = self.sent[resumed.received :], list[FromCaller](), resumed.uplink_ms * 48
        for message in reversed(self.aside):
            if isinstance(message, Spoke):
                left -= len(message.pcm)
                if left < 0:
                    self.caller._did("lost")
                    self.caller.garbled = True
                    continue
            if not isinstance(message, Receipt):
                aside.insert(0, message)
        self.attach, self.received, self.unacknowledged = resumed.attach, 0, 0
        self.sent, self.aside, self.up = [], [], True
        self.till.knows()
        if len({_kind(message) for message in (*again, *aside)} - {""}) > 1:
            self.caller.ear.mixed_until = self.world.now + CROSSED_SECONDS
            self.caller._did("mixed")  # what was spoken, and what was recorded since, come at one moment
        for message in (*again, *aside):
            if not isinstance(message, Receipt):  # of another connection
                self.say(message)

    def tell(self, message: Admitted | NotResumed, /) -> None:
        """The answer to a client who asks for a call that is long over."""
        if isinstance(message, Admitted) or message.code != "ended":
            self.world.wrong(f"{self.name} is over, and who asks for it is told {message}")
        else:
            self.till.bill = message.bill

    def refused(self, told: NotResumed) -> None:
        """The call is over."""
        self.world.note(self.name, told)
        left = any(isinstance(message, HungUp) for message in self.sent)
        late = self.known_at is not None and self.world.now >= self.known_at + self.grace
        calm = self.world.weather.calm and not (self.excused or left or late)
        thrice = len(self.lines) > 3  # connections over which a whole reply may have been written in vain
        whole = told.code == "too_much" and (self.caller.ear.sent_whole or thrice)
        newest = shown(self.caller.supervisor, SupervisorSnapshot).newest.get(self.caller.user)
        lives = newest is not None and newest == self.session and told.code in ("ended", "unknown")
        if (told.code in ("stale", "too_much") or calm or lives) and not whole:
            self.world.wrong(f"{self.name} may not come back: {told.code}")
        self.hang_up()  # as another call of theirs would end it
        self.caller.vanish()


def _kind(message: FromCaller) -> str:
    match message:
        case Spoke():
            return "stream"
        case Recorded() | Typed() | Chose() | Interrupted():
            return "turn"
    return ""
