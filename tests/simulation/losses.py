"""What happens to the connections of one caller: when they are lost, how, and how the client asks for its call."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from actors.messages.admission import GONE, LostSight
from actors.messages.caller import Close
from tests.simulation.lines import Ignored, Line, Never
from tests.simulation.network import Network
from tests.simulation.situation import situation
from tests.simulation.world import World

WORTH_SECONDS = 10.0  # before, a call is not kept
LOST_SECONDS = 25.0  # after which the server notices by itself that nobody gives a sign
KINDS = ("cut", "cut", "tab", "half", "deaf", "dead", "slow", "slow")
MOMENTS = ("switching", "rolling over", "reopening")  # that go on while nobody is there
AIMS = (None, None, *MOMENTS, "barge-in", "user speaking", "model speaking", "greeting", "idle")
OUTAGES = (0.1, 0.1, 0.3, 0.3, 2.0, 8.0, 15.0, 27.0, 40.0)  # seconds until the client has another network
SHORT = (0.1, 0.1, 0.3, 2.0, 8.0, 27.0)  # where what was said may still come
AIMED_SECONDS = 12.0  # in which a moment is waited for
FATES = ("well", "well", "well", "lost", "twice", "race", "stolen", "foreign")
TAB_CLOSED = Close(1001, "the tab was closed")


@dataclass(eq=False)
class Losses:
    """Of one network. Chance is its own, so that the rest of the run is as without it."""

    world: World
    random: Random
    network: Network
    others: Iterable[Any]  # the callers of the run
    links: Iterable[Any]  # to the model
    aim: str | None = None

    def begin(self) -> None:
        """The call has begun."""
        self._soon()

    def _soon(self) -> None:
        self.aim = self.random.choice(AIMS)
        self.world.after(self.random.uniform(0.5, 4.0), self._act)

    def _act(self) -> None:
        """Lose the connection, some of the time, as soon as the call is in the situation that is aimed at."""
        caller = self.network.caller
        if caller.gone or caller.ear.closed or self.world.healed:
            return
        if not self._whole or self.random.random() > 0.7:
            self._soon()
        elif self.aim is None or self.aim == self.moment:
            self.lose()
            self._soon()
        elif self.random.random() < 0.02:
            self._soon()  # it may never come
        else:
            self.world.after(0.1, self._act)

    @property
    def _whole(self) -> bool:
        """True if there is a call worth keeping, on a line that works."""
        line, network = self.network.line, self.network
        worth = network.offer and self.world.now - network.offered_at > WORTH_SECONDS
        return bool(worth and network.up and not (line.dead or line.deaf or line.slow))

    @property
    def moment(self) -> str:
        """What goes on in the call, as the world knows it."""
        caller, links = self.network.caller, [link for link in self.links if link.user == self.network.caller.user]
        link = next((link for link in reversed(links) if not link.ended), None)
        found = situation(link, self.links, self.others) if link else "connecting"
        if self.world.draining:
            return "draining"
        if found == "coming while live":
            return "switching" if caller.ear.switching else "rolling over"
        if found in ("connecting", "updating"):
            return "reopening" if any(link.updated for link in links) else found
        speaks = self.world.now < caller.ear.player.until
        return "barge-in" if found == "user speaking" and speaks else found

    def drained(self) -> None:
        """The server is about to end: lose the connection just then, half of the time."""
        if self._whole and not self.network.caller.gone and self.random.random() < 0.5:
            self.lose()

    def lose(self) -> None:
        """The connection is lost: at once for both ends, or one of them or neither knows it."""
        network, line, how = self.network, self.network.line, self.random.choice(KINDS)
        network.losses += 1
        self.world.seen["lost", how] += 1
        self.world.seen["lost while", self.moment] += 1
        self.world.note(network.name, f"its line is lost: {how}")
        network.till.loses()
        network.caller.ear.care.lost_at = self.world.now
        line.dead, line.deaf = how not in ("deaf", "slow"), how not in ("dead", "slow")
        line.slow = line.full = how == "slow"
        if how != "dead":
            line.silence()
        line.trickle()
        if how in ("cut", "tab"):
            self._known(line)
        else:
            self.world.after(self.random.choice([0.5, 2.0, 5.0]), self._notice, line)
            if network.caller.speaking or how == "slow":  # of a slow line, what is spoken later stands still, too
                network.caller.garbled = True  # our silence closes a turn that only stands still
        if how == "tab":
            network.detached(line, TAB_CLOSED, None)
        elif how in ("cut", "half") and self.random.random() < 0.7:
            self.world.after(self.random.choice([0.0, 0.0, 1.0, 6.0]), self._detached, line)
        self.world.after(LOST_SECONDS, self._lose_sight, line)

    def _detached(self, line: Line) -> None:
        """The server learns of it, and knows when it saw the caller last, or does not."""
        seen_at = self.random.choice([line.seen_at(), line.seen_at(), None])
        self.network.detached(line, GONE, seen_at)

    def _lose_sight(self, line: Line) -> None:
        """The server has seen nothing of the caller for long."""
        network = self.network
        if line is network.serving and network.known_at is None and (seen_at := line.seen_at()) is not None:
            if self.world.now - seen_at < LOST_SECONDS - 0.001:
                self.world.after(seen_at + LOST_SECONDS - self.world.now, self._lose_sight, line)
                return
            network.known_at, network.grace = self.world.now, 30.0
            network.till.left(seen_at)
            network.session.tell(LostSight(line.number, seen_at))

    def _notice(self, line: Line) -> None:
        if line is self.network.line and self.network.up:
            self._known(line)

    def _known(self, line: Line) -> None:
        self.network.known(line)
        if self.random.random() < 0.04:
            self.world.note(self.network.name, "never comes back")
            self.world.seen["asks", "never"] += 1
            self.network.caller.vanish()
            return
        aim = None if line.slow else self.random.choice([None, None, *MOMENTS])
        outages = SHORT if line.slow else OUTAGES
        self.world.after(self.random.choice(outages), self._knock, aim, self.world.now + AIMED_SECONDS)

    def _knock(self, aim: str | None = None, until: float = 0.0) -> None:
        """Ask for the call; perhaps not alone, and perhaps the answer is lost."""
        network, caller = self.network, self.network.caller
        if caller.gone or network.up:
            return
        if aim and aim != self.moment and self.world.now < until:
            self.world.after(0.05, self._knock, aim, until)
            return
        fate = self.random.choice(FATES)
        self.world.seen["asks", fate] += 1
        self.world.seen["asks while", self.moment] += 1
        self.world.note(network.name, f"asks for its call: {fate}")
        where = (network.attach, network.received)
        if fate == "stolen":
            self._steal("thief", "a thief")
            network.ask(network.new(), caller.user, Never(self.world, network.name, "who guesses"), token="guessed")
        elif fate == "foreign":
            for other in self.others:
                if other.user != caller.user:
                    self._steal(other.user, other.user)
        elif fate in ("twice", "race"):
            other = network.new()
            other.dead = fate == "twice"
            if other.dead:
                other.silence()
            network.ask(other, caller.user, Ignored())
        network.knock()
        if fate == "lost":
            network.unanswered += 1
            network.line.dead = network.line.deaf = True
            network.line.silence()
            self.world.after(self.random.choice([0.2, 3.0]), self._knock)
        else:
            self.world.after(self.random.choice([0.5, 2.0, 6.0]), self._late, network.line, where)

    def _steal(self, user: str, who: str) -> None:
        network = self.network
        network.ask(network.new(), user, Never(self.world, network.name, who))

    def _late(self, line: Line, where: tuple[int, int]) -> None:
        """What asked for the call before comes once more, when the client has spoken on the newest connection."""
        network = self.network
        if line is network.line and network.up and self._whole and network.sent and not network.caller.gone:
            self.world.seen["asks", "late"] += 1
            self.world.note(network.name, "an old attempt comes once more")
            network.ask(
                network.new(), network.caller.user, Never(self.world, network.name, "an old attempt"), "", where
            )
