"""What is to go wrong in one call: faults of the engine, each in one of the situations that a call can be in."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from engine.faults import faults
from engine.faults.script import CONNECT, KINDS, OPEN
from tests.simulation.caller import Caller
from tests.simulation.situation import SITUATIONS, situation
from tests.simulation.world import Bomb, World

CRASH = "crash"  # of the bridge, which is ours and no fault of the engine's
NOW = "now"  # a moment at which nothing is said
LOOK_SECONDS = 0.25
WEIGHTS = (3, 2, 3, 4, 4, 4, 2, 1, 1)  # of the situations: not every call comes to its end with somebody retiring

PARAMETERS: dict[str, tuple[dict[str, Any], ...]] = {
    "refuse": ({"status": 503}, {"status": 401}),
    "slow": ({"seconds": 3.0}, {"seconds": 12.0}),
    "close": tuple({"code": code} for code in (1000, 1001, 1011, 1012, 1013, 3000, 4000)),
    "error": (
        {"code": "server_error"},
        {"code": "insufficient_quota"},
        {"code": "never_heard_of"},
        {"code": "never_heard_of", "echo": True},
        {"code": "rate_limit_exceeded", "echo": True},
    ),
    "fail": tuple(
        {"code": code} for code in ("rate_limit_exceeded", "insufficient_quota", "server_error", "never_heard_of")
    ),
    "hold": ({"seconds": 1.2}, {"seconds": 8.0}),
    "delay": ({"seconds": 0.3}, {"seconds": 3.0}),
    "strip": tuple(
        {"field": field}
        for field in ("type", "event_id", "item_id", "response_id", "response.id", "response.usage", "delta", "session")
    ),
    "huge": ({"size": 102_400}, {}),
}
"""What a kind is told, in each way that matters; other kinds are told nothing. Sound is of whole milliseconds."""


@dataclass
class Mishap:
    """It happens in this situation, the `nth` time that it can, or at one of the moments at which it can."""

    name: str
    told: dict[str, Any]
    where: str
    nth: int = 1
    on: str = ""

    @classmethod
    def draw(cls, random: Random) -> "Mishap":
        where = random.choices(SITUATIONS, WEIGHTS)[0]
        dialled = where in ("connecting", "coming while live")
        names = [name for name in (*KINDS, CRASH) if dialled or moments(name) != CONNECT]
        name = random.choice(names)
        told = random.choice(PARAMETERS.get(name, ({},)))
        return cls(name, told, where, random.choice([1, 1, 1, 2, 4]))

    @property
    def kind(self) -> faults.Kind:
        """What the engine does."""
        kind: faults.Kind = KINDS[self.name][0](**self.told)
        return kind

    def can(self, on: str) -> bool:
        """Whether it can happen at this moment: an event, connect, open, or now."""
        if self.on:
            return on == self.on
        return on in moments(self.name)


def moments(name: str) -> tuple[str, ...]:
    """When this can happen."""
    on = OPEN if name == CRASH else KINDS[name][1]
    return (*on, NOW) if "open" in on else on


@dataclass
class Fate:
    """Asked by every connection at every moment whether something is to go wrong now."""

    world: World
    callers: list[Caller]
    links: list[Any] = field(default_factory=list)
    mishaps: list[Mishap] = field(default_factory=list)
    most: int = 1
    struck: list[tuple[str, str]] = field(default_factory=list)
    """What went wrong, each with the situation in which it did."""

    def draw(self) -> None:
        """One thing or two in one call: of several those whose situation comes first."""
        if not self.world.weather.calm:
            self.most = self.world.random.choice([1, 2, 2, 2])
            self.mishaps = [Mishap.draw(self.world.random) for _ in range(6)]
            self.look()

    def look(self) -> None:
        """Let happen what happens by itself."""
        if len(self.struck) < self.most and not self.world.healed:
            for link in self.links:
                if link.open and not link.stalled:
                    link.grow_old()
            self.world.after(LOOK_SECONDS, self.look)

    def due(self, link: Any, on: str, event: Any) -> Iterable[faults.Kind]:
        """What happens to this connection at this moment, and to the event of which it is one."""
        if link.user != "user0" or len(self.struck) >= self.most or not any(mishap.can(on) for mishap in self.mishaps):
            return
        where = self.where(link)
        for mishap in [mishap for mishap in self.mishaps if mishap.where == where and mishap.can(on)]:
            mishap.nth -= 1
            if not mishap.nth and len(self.struck) < self.most:
                self.mishaps.remove(mishap)
                self.struck.append((mishap.name, where))
                self.world.note(link.name, f"{where}, {on}: {mishap.name} {mishap.told}")
                if mishap.name == CRASH:
                    link.to.tell(Bomb())
                else:
                    yield mishap.kind

    def where(self, link: Any) -> str:
        """The situation that the call of this connection is in."""
        return situation(link, self.links, self.callers)
