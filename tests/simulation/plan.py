"""How long things take on a connection to the model, and what is to go wrong on it whatever happens there."""

from dataclasses import dataclass

from engine.faults import faults
from engine.faults.faults import Fault
from engine.faults.misbehaviour import Misbehaviour
from tests.simulation.world import World

WORDS = "conversation.item.input_audio_transcription.completed"


@dataclass
class Plan:
    """Drawn when it is dialled: `connect` and `delay` are seconds, of the handshake and of the line each way."""

    connect: float = 0.03
    delay: float = 0.02
    faults: tuple[Fault, ...] = ()

    @classmethod
    def draw(cls, world: World) -> "Plan":
        random, weather = world.random, world.weather
        plan = cls(random.choice([0.03, 0.2, 0.8, 1.5]), random.choice([0.0, 0.005, 0.04, 0.15]))
        if world.chance(weather.late * 5):
            plan.faults += (Fault(faults.Delay(random.uniform(0, 3)), WORDS, random.randint(1, 3)),)
        if world.chance(weather.refuse):
            refusals: list[faults.Kind] = [
                faults.Refuse(),
                faults.Refuse(),
                faults.Refuse(401),
                faults.Abort(),
                faults.Stall(),
            ]
            plan.faults += (Fault(random.choice(refusals), "connect"),)
        if world.chance(weather.lose):
            losses: list[faults.Kind] = [
                faults.Abort(),
                faults.Close(1001),
                faults.Close(1011),
                faults.Stall(),
                faults.Error("server_error"),
            ]
            plan.faults += (Fault(random.choice(losses), random.expovariate(1 / 5)),)
        return plan


class Script(Misbehaviour):
    """The faults of one connection, to which more may be added as it goes."""

    def add(self, kind: faults.Kind, on: str | float) -> None:
        """The next time that this happens."""
        self._faults[on, self._happened[on] + 1].append(kind)
