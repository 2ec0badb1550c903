"""What a call may cost, as the world knows it: until the last sign of life, or until what was received has played.

`most` is by what the server could know: how long the caller had a connection on which they gave signs, and what they
heard besides. `least` is by what the caller knew: how long they were told that somebody is there, on a line that works.
"""

from dataclasses import dataclass

from actors.messages.caller import Close, ConfigAck, Error, Notice, Summary, ToCaller
from actors.messages.caring import Help
from personas.meter import Bill
from tests.simulation.player import Player
from tests.simulation.world import World

CATCHING_UP = 4.0  # seconds after a return in which what is heard may be old: it comes behind 3 s of sound
REPORTS = 0.3  # seconds for each return by which a player and the clock of the session may differ


@dataclass(eq=False)
class Till:
    """Of one call. Times are seconds of the world; `bill` is what the caller was told at the end."""

    world: World
    name: str
    player: Player
    bill: Bill | None = None
    minutes: int = 0  # seconds that the server has told of
    most: float = 0.0
    least: float = 0.0
    _began: float | None = None  # somebody is on the line, and the caller is there, since
    _begun: bool = False
    _ended: bool = False
    _free: bool = False  # the call is in care, or its caller a minor
    _paid_until: float | None = None  # when the caller who is away gave the last sign, or a minute was full later
    _minute_at: float = 0.0
    _on_since: float | None = None
    _was_on: bool = False
    _lost: bool = False
    _lost_at: float = 0.0
    _sure_at: float = 0.0
    _returns: int = 0

    # What the server does.

    def told(self, message: ToCaller) -> None:
        """The session says this, whether it arrives or not."""
        match message:
            case ConfigAck() if not self._begun and not self._free:
                self._begun, self._began = True, self.world.now
            case Notice(code="minute", seconds=int(seconds)):
                self.minutes, self._minute_at = seconds, self.world.now
            case Help(metered=False):
                self.frees()
            case Summary(bill):
                self.bill = bill
                self.over()

    def frees(self) -> None:
        """From now on nothing is charged."""
        if self._began is not None:
            self.most += self.world.now - self._began
        self._free, self._began = True, None
        self._off()

    def left(self, seen_at: float) -> None:
        """The server knows that the line is lost, and when it saw the caller last."""
        self._paid_until = max(seen_at, self._minute_at)
        if self._began is not None:
            self.most += max(0.0, self._paid_until - self._began)
        self._began = None

    def back(self) -> None:
        """The call goes on: what they received and had not heard when they were seen last, they heard since."""
        assert self._paid_until is not None
        for playing in self.player.tape if not self._free else ():
            self.most += max(0.0, min(self.world.now, playing.end) - max(self._paid_until, playing.start))
        self._began = self.world.now if self._begun and not self._free else None
        self._paid_until, self._returns = None, self._returns + 1

    def over(self) -> None:
        """The call is over."""
        if not self._ended and self._began is not None:
            self.most += self.world.now - self._began
        self._ended, self._began = True, None
        self._off()

    def jumps(self, seconds: float) -> None:
        """The clock jumps: a minute may be full, and told, before anything that has come is looked at."""
        if self._lost:
            self.most += self.world.now + seconds - self._lost_at

    # What the caller knows.

    def hears(self, message: ToCaller) -> None:
        """It has arrived."""
        match message:
            case ConfigAck() | Notice(code="resumed") | Error(code="persona_switch_failed"):
                self._on()
            case Notice(code="switching" | "reconnecting") | Summary() | Close():
                self._was_on = False
                self._off()

    def loses(self) -> None:
        """Their line does not work from now on, whether they know it or not."""
        self._was_on, self._lost, self._lost_at = self._on_since is not None, True, self.world.now
        self._off()

    def knows(self) -> None:
        """Their line works again."""
        self._lost, self._sure_at = False, self.world.now + CATCHING_UP
        if self._was_on:
            self._on()

    def _on(self) -> None:
        self._was_on = True
        if self._on_since is None and not (self._ended or self._lost or self._free):
            self._on_since = max(self.world.now, self._sure_at)

    def _off(self) -> None:
        if self._on_since is not None:
            self.least += max(0.0, self.world.now - self._on_since)
        self._on_since = None

    # At the end.

    def check(self) -> None:
        """The bill lies between the two, and not below what was told."""
        if self.bill is None:
            return
        seconds, stays = self.bill.seconds, len(self.bill.stays)
        if seconds > self.most + REPORTS * (self._returns + 1):
            self.world.wrong(f"{self.name} pays for {seconds} s, and was there for {self.most:.1f}")
        if seconds < self.least - stays - 0.1:
            self.world.wrong(f"{self.name} pays for {seconds} s, and talked for {self.least:.1f}")
        if seconds < self.minutes:
            self.world.wrong(f"{self.name} pays for {seconds} s, and was told of {self.minutes}")
