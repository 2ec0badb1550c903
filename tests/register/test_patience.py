"""A time limit that does not run out because this process is late."""

import asyncio
import time

import pytest

from register.patience import STEPS, Patience
from tests.kit.story import WITHIN, run


class LateLoop:
    """Each round of the loop takes `seconds`; the `answer` comes in the round of this number."""

    def __init__(self, seconds: float, number: int) -> None:
        self._seconds, self._left, self._loop = seconds, number, asyncio.get_running_loop()
        self.answer: asyncio.Future[str] = self._loop.create_future()
        self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        time.sleep(self._seconds)  # as a handler that blocks all others
        self._left -= 1
        if self._left:
            self._loop.call_soon(self._turn)
        else:
            self.answer.set_result("here")


def test_an_answer_that_takes_some_rounds_of_a_late_loop_is_in_time() -> None:
    """Though they took longer than the limit: the other one was never late."""

    async def story() -> None:
        late = LateLoop(0.1, STEPS)
        async with Patience(0.1):
            assert await late.answer == "here"
        late = LateLoop(0.1, STEPS)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await late.answer
        await asyncio.wait([late.answer])

    run(story())


def test_no_answer_is_not_waited_for() -> None:
    """TimeoutError after the time; whoever is cancelled meanwhile is cancelled."""

    async def story() -> None:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            async with Patience(0.1):
                await asyncio.Event().wait()
        assert time.monotonic() - began >= 0.1

        async def patient() -> None:
            async with Patience(WITHIN):
                await asyncio.Event().wait()

        waiting = asyncio.ensure_future(patient())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled()

    run(story())
