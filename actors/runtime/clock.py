"""What time it is, for whoever is handed a clock: the running loop's time, and the wall's."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _wall_time() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """Two clocks: `now` is for durations, in seconds, and never goes back; `wall` is the date and time in UTC.

    What is not given is real. On a stage `stage.clock` is both, and tests hand that in.
    """

    now: Callable[[], float] = _loop_time
    wall: Callable[[], datetime] = _wall_time

    def of_this_loop(self) -> Callable[[], float]:
        """`now`, for the running loop alone: which loop that is takes a system call to ask."""
        return asyncio.get_running_loop().time if self.now is _loop_time else self.now
