"""Finds out that the whole process stood still: it was stopped, its machine slept, or its loop was blocked for long.

The clock is one that goes on while the machine sleeps. It is read at the beginning of each round of turns, so that this
is known before any actor does something, and by a timer, as there may be no rounds for a while.
"""

import asyncio
import time
from collections.abc import Callable

from actors.runtime.mailbox import rounds_of

SLEPT_SECONDS = 1.0
TICK_SECONDS = 0.25
CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def _awake_and_asleep() -> float:
    return time.clock_gettime(CLOCK)


def on_a_stage() -> bool:
    """True where time is virtual, and nothing ever sleeps."""
    return hasattr(asyncio.get_running_loop(), "turn_clock")


class Wakefulness:
    """`slept` is told for how many seconds nothing was done, if that were more than SLEPT_SECONDS. Begins at once."""

    def __init__(self, slept: Callable[[float], None], clock: Callable[[], float] = _awake_and_asleep) -> None:
        self._slept, self._clock, self._loop = slept, clock, asyncio.get_running_loop()
        self._at = clock()
        self._rounds = rounds_of(self._loop)
        self._rounds.beat = self.beat
        self._timer = self._loop.call_later(TICK_SECONDS, self._tick)

    def beat(self) -> None:
        """Something is about to be done."""
        now = self._clock()
        gone, self._at = now - self._at, now
        if gone > SLEPT_SECONDS:
            self._slept(gone)

    def stop(self) -> None:
        """Watch no more."""
        self._timer.cancel()
        if self._rounds.beat == self.beat:
            self._rounds.beat = None

    def _tick(self) -> None:
        self.beat()
        self._timer = self._loop.call_later(TICK_SECONDS, self._tick)
