"""What becomes of a connection to the model: how long things take there, and what goes wrong on it."""

from dataclasses import dataclass
from random import Random
from typing import Any

from realtime.local import faults
from realtime.local.faults import Fault, Misbehaviour
from realtime.local.script import CONNECT, KINDS
from tests.simulation.world import World

WORDS = "conversation.item.input_audio_transcription.completed"
UNSPOKEN = ("input_audio_buffer.timeout_triggered", "response.output_text.delta", "response.output_text.done")
"""What the engine says only to other clients than ours."""

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
"""What else a kind is told, in each way that matters; other kinds are told nothing."""


def kinds() -> list[tuple[str, dict[str, Any]]]:
    """All that may go wrong: the name of a kind, and what it is told."""
    return [(name, told) for name in KINDS for told in PARAMETERS.get(name, ({},))]


def make(name: str, told: dict[str, Any]) -> faults.Kind:
    """What a fault does, by its name in a script."""
    kind: faults.Kind = KINDS[name][0](**told)
    return kind


@dataclass
class Plan:
    """What becomes of one connection: `connect` and `delay` are seconds, of the handshake and of the line each way."""

    connect: float = 0.03
    delay: float = 0.02
    faults: tuple[Fault, ...] = ()

    @classmethod
    def draw(cls, world: World) -> "Plan":
        """Drawn when it is dialled; one fault alone, or several together."""
        random, weather = world.random, world.weather
        plan = cls(random.choice([0.03, 0.2, 0.8, 1.5]), random.choice([0.0, 0.005, 0.04, 0.15]))
        if world.chance(weather.late * 5):
            plan.faults += (Fault(faults.Delay(random.uniform(0, 3)), WORDS, random.randint(1, 3)),)
        if world.chance(weather.refuse):
            plan.faults += (_refused(random),)
        while world.chance(weather.strike):
            plan.faults += (_fault(random),)
        return plan


def _refused(random: Random) -> Fault:
    status = random.choice([503, 503, 503, 401])
    return Fault(random.choice([faults.Refuse(status), faults.Refuse(status), faults.Abort(), faults.Stall()]), "connect")


def _fault(random: Random) -> Fault:
    """Any, at any moment at which it may be; most often in the first turns."""
    name, told = random.choice(kinds())
    moments = [on for on in KINDS[name][1] if on not in UNSPOKEN]
    if moments == list(CONNECT):
        return Fault(make(name, told), "connect")
    if "open" in moments and random.random() < 0.4:
        return Fault(make(name, told), random.uniform(0.0, 20.0))
    on = random.choice(moments)
    often = on.endswith("delta") or on.endswith("append")
    return Fault(make(name, told), on, int(random.expovariate(1 / 12 if often else 1 / 2)) + 1)


class Script(Misbehaviour):
    """The faults of one connection, which says what it does as it does it."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan.faults)
        self.struck: list[faults.Kind] = []
        """What has gone wrong since somebody looked."""

    def _due(self, on: str | float) -> list[faults.Kind]:
        due = super()._due(on)
        self.struck += due
        return due


