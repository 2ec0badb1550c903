"""A time limit for somebody else, which does not run out because we are late ourselves."""

import asyncio
from types import TracebackType

STEPS = 6
"""Rounds of the loop that the other one has at least: a question takes some, and the first of a connection five."""

LATE_SECONDS = 0.1  # in one of these rounds


class LateHere(TimeoutError):
    """No answer was seen in time, and this process was late itself: it may have come."""


class Patience:
    """As `asyncio.timeout`; where a round of the loop takes longer than a part of the time, the time is longer, too.

    Raises TimeoutError; LateHere, if a round was late by LATE_SECONDS.
    """

    def __init__(self, seconds: float) -> None:
        self._loop, self._limit = asyncio.get_running_loop(), asyncio.timeout(None)
        self._step, self._left, self._late = seconds / STEPS, STEPS, 0.0
        self._timer = self._loop.call_later(self._step, self._pass)

    async def __aenter__(self) -> None:
        await self._limit.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        try:
            await self._limit.__aexit__(kind, error, trace)
        except TimeoutError:
            if self._late > LATE_SECONDS:
                raise LateHere from None
            raise

    def _pass(self) -> None:
        """A part of the time is over, and whatever came in it was read before this is called."""
        now = self._loop.time()
        self._late, self._left = max(self._late, now - self._timer.when()), self._left - 1
        if self._left:
            self._timer = self._loop.call_later(self._step, self._pass)
        else:
            self._limit.reschedule(now)
