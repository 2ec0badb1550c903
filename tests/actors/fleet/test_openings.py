"""When connections to the model are opened: spaced over all servers, and never later than a caller waits."""

import asyncio
from random import Random

import pytest

from actors.fleet.openings import MOST_SECONDS, Openings
from actors.testing.stage import Stage
from register import BOUNDS, Memory
from tests.simulation.register import CALM, Trouble, TroubledRegister


class Doors:
    """Two servers that open connections; `opened` are the moments."""

    def __init__(self, stage: Stage, a_second: float, trouble: Trouble = CALM) -> None:
        memory, self.opened, self._stage = Memory(lambda: stage.now), list[float](), stage
        self._registers = [TroubledRegister(name, memory, Random(name), trouble) for name in "ab"]
        self._openings = [Openings(register, a_second) for register in self._registers]
        self._tasks: list[asyncio.Task[None]] = []

    async def _open(self, openings: Openings) -> None:
        await openings.turn()
        self.opened.append(self._stage.now)

    def ask(self, count: int) -> None:
        """So many calls want a connection at once."""
        opening = (self._open(self._openings[number % 2]) for number in range(count))
        self._tasks += [asyncio.get_running_loop().create_task(one) for one in opening]

    def most_in(self, seconds: float) -> int:
        """The most that were opened in any so many seconds."""
        opened = sorted(self.opened)
        return max(sum(first <= one < first + seconds for one in opened) for first in opened)


def test_two_hundred_calls_that_move_are_no_storm(stage: Stage) -> None:
    """They are opened one after another, and the first at once."""
    doors = Doors(stage, 100)
    stage.advance(1)
    doors.ask(200)
    stage.advance(0.1)
    assert 5 <= len(doors.opened) <= 11
    stage.advance(2)
    assert len(doors.opened) == 200
    assert doors.most_in(0.1) <= 12


def test_nobody_waits_longer_than_a_caller_does(stage: Stage) -> None:
    """Of too many some wait for any moment, without a crowd at the end; who comes later does not wait for them."""
    doors = Doors(stage, 20)
    stage.advance(1)
    doors.ask(1000)
    stage.advance(MOST_SECONDS + 0.1)
    assert len(doors.opened) == 1000
    assert doors.most_in(0.5) <= 150
    doors.ask(1)
    stage.advance(0.3)
    assert len(doors.opened) == 1001


@pytest.mark.parametrize("waits", [0.0, BOUNDS.answer])
def test_while_the_register_is_away_there_is_no_turn(stage: Stage, waits: float) -> None:
    """Whether that is known, or is found out by the question."""
    doors = Doors(stage, 1, Trouble(away=1.0, longest=60.0))
    if not waits:
        doors.ask(2)
        stage.advance(1)
        doors.opened.clear()
    doors.ask(50)
    stage.advance(waits + 0.001)
    assert len(doors.opened) == 50
    for register in doors._registers:
        register.line.trouble = CALM
    stage.advance(100)
