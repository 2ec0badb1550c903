"""Who held up the loop, told from outside."""

import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from actors.base import Boot, Down, LoopActor, Stop, launch
from actors.figures import Lateness
from actors.testing.probe import Probe
from actors.watch import LATE, Watchdog, running
from tests.kit.story import run, until

STALL = 3 * LATE


class Sleeper(LoopActor[Any]):
    """Holds up the loop when it is told a number of seconds."""

    name = "sleeper"

    def on_receive(self, message: Any) -> None:
        match message:
            case float():
                fall_asleep(message)
            case Stop():
                self.end()


def fall_asleep(seconds: float) -> None:
    """What the stack must show."""
    threading.Event().wait(seconds)


@asynccontextmanager
async def watched() -> AsyncIterator[Lateness]:
    """A watchdog for the loop of this test."""
    late = Lateness()
    watchdog = Watchdog(late)
    try:
        yield late
    finally:
        watchdog.stop()


def test_a_stall_is_told_once_with_who_and_where(caplog: pytest.LogCaptureFixture) -> None:
    """While it lasts: the actor, the message type and the stack; when it is over: how long it took."""

    async def story() -> None:
        parent = Probe()
        async with watched() as late:
            sleeper = launch(Sleeper(), parent)
            sleeper.tell(STALL)
            sleeper.tell(Stop())
            await parent.told(Down)
            await until(lambda: len(caplog.records) == 2)
            assert late.take_worst() >= STALL - 0.05
            assert late.take_worst() < STALL - 0.05
            assert sum(late.counts[7:]) == 1

    with caplog.at_level(logging.WARNING):
        run(story())
    during, after = (record.getMessage() for record in caplog.records)
    assert "sleeper 1 at float" in during
    assert "fall_asleep" in during
    assert "the loop was late by" in after


def test_a_loop_on_time_is_not_written_of(caplog: pytest.LogCaptureFixture) -> None:
    """Looks at the clock go on, and nothing is said."""

    async def story() -> None:
        async with watched() as late:
            await until(lambda: sum(late.counts) >= 10)

    run(story())
    assert caplog.records == []


def test_a_watchdog_that_is_stopped_leaves_no_thread() -> None:
    """Nor a timer that would look on."""

    async def story() -> None:
        before = threading.active_count()
        async with watched():
            assert threading.active_count() == before + 1
        assert threading.active_count() == before

    run(story())


def test_nothing_is_running_between_turns() -> None:
    """So that no dead actor is kept in memory, nor blamed."""

    async def story() -> None:
        parent, seen = Probe(), list[str]()

        class Look(LoopActor[Any]):
            name = "look"

            def on_receive(self, message: Any) -> None:
                seen.append(str(running))
                if not isinstance(message, Boot):
                    self.end()

        launch(Look(), parent).tell("hello")
        await parent.told(Down)
        assert seen == ["look 1 at Boot", "look 1 at str"]
        assert str(running) == "no actor"

    run(story())
