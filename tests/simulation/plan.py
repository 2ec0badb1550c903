"""What becomes of a connection to the model."""

from dataclasses import dataclass

from tests.simulation.world import World


@dataclass
class Plan:
    """What becomes of one connection, drawn when it is dialled."""

    connect: float
    refused: int = 0  # the close code of a connect that fails
    mute: bool = False  # nothing is ever said on it
    lost_at: int = 0  # the event at which it is lost
    code: int = 1006  # by this close; 0: it stalls instead
    delay: float = 0.02

    @classmethod
    def draw(cls, world: World) -> "Plan":
        random, weather = world.random, world.weather
        plan = cls(connect=random.choice([0.03, 0.2, 0.8, 1.5]), delay=random.choice([0.0, 0.005, 0.04, 0.15]))
        if world.chance(weather.refuse):
            plan.refused = random.choice([1006, 1006, 1006, 3000])
            plan.connect = random.choice([0.0, 0.1, 10.0])  # a link gives up after 10 s
            plan.mute = not plan.refused or random.random() < 0.2
        if world.chance(weather.lose):
            plan.lost_at = int(random.expovariate(1 / 20)) + 1
            plan.code = random.choice([1006, 1006, 1001, 1011, 0, -1])
        return plan
