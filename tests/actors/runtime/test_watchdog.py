"""Who held up the loop, told from outside."""

import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from actors.runtime import Boot, Down, LoopActor, Stop, Watchdog, launch
from actors.runtime.watchdog import LATE, LoopLag, running
from actors.testing.probe import Probe
from tests.kit.story import WITHIN, run, until


class Sleeper(LoopActor[Any]):
    """Holds up the loop when it is handed an event, until that is set."""

    name = "sleeper"

    def on_receive(self, message: Any) -> None:
        match message:
            case threading.Event():
                fall_asleep(message)
            case Stop():
                self.end()


def fall_asleep(until_told: threading.Event) -> None:
    """What the stack must show."""
    assert until_told.wait(WITHIN)


class Ears(logging.Handler):
    """They know what was said of a sleeper."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.told = threading.Event()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
        if "sleeper 1" in self.said[-1]:
            self.told.set()


@asynccontextmanager
async def watched(heard_from: float = LATE) -> AsyncIterator[LoopLag]:
    """A watchdog for the loop of this test."""
    late = LoopLag()
    watchdog = Watchdog(late, heard_from)
    try:
        yield late
    finally:
        watchdog.stop()


def test_a_stall_is_told_once_with_who_and_where() -> None:
    """While it lasts: the actor, the message type and the stack; when it is over: how long it took."""

    async def story() -> None:
        parent = Probe()
        async with watched() as late:
            sleeper = launch(Sleeper(), parent)
            sleeper.tell(ears.told)
            sleeper.tell(Stop())
            await parent.told(Down)
            await until(lambda: "the loop was late by" in ears.said[-1])
            assert late.worst >= LATE
            assert late.worst >= LATE  # it was only read
            assert sum(late.counts[7:]) >= 1

    log, ears = logging.getLogger("actors.runtime.watchdog"), Ears()
    log.addHandler(ears)
    try:
        run(story())
    finally:
        log.removeHandler(ears)
    (during,) = [said for said in ears.said if "sleeper" in said]  # of a machine that is busy others may be told
    assert "sleeper 1 at Event" in during
    assert "fall_asleep" in during


def test_a_loop_on_time_is_not_written_of(caplog: pytest.LogCaptureFixture) -> None:
    """Looks at the clock go on, and nothing is said."""

    async def story() -> None:
        async with watched(WITHIN) as late:
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
