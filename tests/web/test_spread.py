"""Calls that come at once begin one after another."""

import asyncio

import pytest

from actors.services import Limits
from tests.kit.exchange import exchange
from tests.kit.raw import Raw
from tests.kit.story import WITHIN, run
from web.request_scheduler import RequestScheduler
from web.spread import LONGEST, Slots


class OneTurn(RequestScheduler):
    """Somebody has a turn, and keeps it until `let_go`."""

    def __init__(self) -> None:
        super().__init__(60.0)
        self.asked = asyncio.Event()
        self._kept = asyncio.Event()

    async def turn(self) -> None:
        self.asked.set()
        await self._kept.wait()
        await super().turn()

    def let_go(self) -> None:
        """From now on all have their turns."""
        self._kept.set()


def test_calls_that_come_at_once_are_spread() -> None:
    """Each has a slot of its own; whoever comes later than the last slot begins at once."""
    slots = Slots(50)
    assert [slots.wait(100.0) for _ in range(4)] == pytest.approx([0.0, 0.02, 0.04, 0.06])
    assert slots.wait(100.05) == pytest.approx(0.03)
    assert slots.wait(101.0) == 0.0


def test_a_call_that_will_be_refused_is_not_kept_waiting() -> None:
    """Nor do those that are refused keep the next ones waiting."""
    slots = Slots(50)
    waits = [slots.wait(0.0) for _ in range(1000)]
    assert max(waits) <= LONGEST
    assert sum(wait > 0 for wait in waits) == pytest.approx(50, abs=1)
    assert slots.wait(LONGEST) == pytest.approx(0.02, abs=0.03)


def test_the_server_spreads_them() -> None:
    """With two calls a second three slots a second are given: the second of two that come at once waits for its own."""

    async def story() -> None:
        async with exchange(Limits(connects=2)) as line:
            began = asyncio.get_running_loop().time()
            first, second = await asyncio.gather(Raw.dial(line.url, "one"), Raw.dial(line.url, "two"))
            assert asyncio.get_running_loop().time() - began >= 1 / 3
            first.vanish()
            second.vanish()

    run(story())


def test_a_call_begins_when_it_has_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are on the line come first."""

    async def story() -> None:
        turns = OneTurn()
        monkeypatch.setattr("web.spread.RequestScheduler", lambda: turns)
        monkeypatch.setattr("web.spread.LONGEST", WITHIN)
        async with exchange() as line:
            call = asyncio.create_task(Raw.dial(line.url, "one"))
            await turns.asked.wait()
            assert not call.done()
            turns.let_go()
            (await call).vanish()

    run(story())


def test_a_call_does_not_wait_for_a_turn_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """It begins all the same, or is told that the server is too late."""

    async def story() -> None:
        monkeypatch.setattr("web.spread.RequestScheduler", OneTurn)
        monkeypatch.setattr("web.spread.LONGEST", 0.05)
        async with exchange() as line:
            (await Raw.dial(line.url, "one")).vanish()

    run(story())
