"""Threads for work that would block the loop: who has waited longest is first, whatever the work is."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import ParamSpec, TypeVar

from engine.load import Job, Load

P = ParamSpec("P")
R = TypeVar("R")


class Workers:
    """So many threads and one queue; calls ask one job at a time each, so that no call fills it.

    What waits for its thread waits here, not in the threads: it can be taken back, and passed by what waits longer.
    """

    def __init__(self, threads: int = 1, load: Load | None = None) -> None:
        self.load = Load(threads) if load is None else load
        self._threads = ThreadPoolExecutor(threads, "work")
        self._free = threads
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = 0

    async def run(self, job: Job, since: float, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Do it in a thread; `since` is when its caller began to wait, by time.monotonic.

        Cancelling takes waiting work back, and drops the result of what runs.
        """
        self.load.add(job, time.monotonic())
        await self._turn(job, since)
        loop = asyncio.get_running_loop()
        self.load.begin(job, time.monotonic())
        future = self._threads.submit(work, *args, **kwargs)
        future.add_done_callback(lambda done: self._tell(loop, job, done.cancelled()))
        return await asyncio.wrap_future(future)

    @property
    def queued(self) -> int:
        """Jobs that wait or run."""
        return len(self.load)

    def close(self) -> None:
        """Let the threads end; returns at once."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _turn(self, job: Job, since: float) -> None:
        """Wait for a thread. Who is cancelled while waiting gives up the place, and the thread if it has one."""
        if self._free:
            self._free -= 1
            return
        self._number += 1
        turn = asyncio.get_running_loop().create_future()
        place = (since, self._number, turn)
        self._waiting.append(place)
        try:
            await turn
        except asyncio.CancelledError:
            self.load.drop(job, time.monotonic())
            if place in self._waiting:
                self._waiting.remove(place)
            else:
                self._let_go()
            raise

    def _tell(self, loop: asyncio.AbstractEventLoop, job: Job, cancelled: bool) -> None:
        """In the thread: the work is done, or nobody wanted it before it was begun."""
        over = self.load.drop if cancelled else self.load.end
        with suppress(RuntimeError):  # the loop is closed already
            loop.call_soon_threadsafe(self._done, over, job, time.monotonic())

    def _done(self, over: Callable[[Job, float], None], job: Job, now: float) -> None:
        over(job, now)
        self._let_go()

    def _let_go(self) -> None:
        """A thread is free: the next one is who waits longest."""
        if not self._waiting:
            self._free += 1
            return
        place = min(self._waiting, key=lambda waiting: waiting[:2])
        self._waiting.remove(place)
        place[2].set_result(None)
