"""Threads for work that would block the event loop. The job whose caller has waited longest runs next."""

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
    """A number of threads with one queue. The queue is here, not in the executor, so that jobs can be reordered."""

    def __init__(self, threads: int = 1, load: Load | None = None) -> None:
        self.load = Load(threads) if load is None else load
        self._threads = ThreadPoolExecutor(threads, "work")
        self._free = threads
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = 0

    async def run(self, job: Job, since: float, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `work` in a thread; returns or raises what it does. `since`: when its caller began to wait (monotonic).

        Cancelling removes a job that waits; of one that runs, the result is dropped.
        """
        self.load.add(job, time.monotonic())
        await self._acquire(job, since)
        loop = asyncio.get_running_loop()
        self.load.begin(job, time.monotonic())
        future = self._threads.submit(work, *args, **kwargs)
        future.add_done_callback(lambda done: self._on_done(loop, job, done.cancelled()))
        return await asyncio.wrap_future(future)

    @property
    def queued(self) -> int:
        """Jobs that wait or run."""
        return len(self.load)

    def close(self) -> None:
        """Let the threads end. Returns at once."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _acquire(self, job: Job, since: float) -> None:
        """Wait for a free thread. A job that is cancelled leaves the queue, and releases a thread that it just got."""
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
                self._release()
            raise

    def _on_done(self, loop: asyncio.AbstractEventLoop, job: Job, cancelled: bool) -> None:
        """Called in the thread: the work has ended, or was cancelled before it began."""
        with suppress(RuntimeError):  # the loop is closed already
            loop.call_soon_threadsafe(self._finish, job, cancelled, time.monotonic())

    def _finish(self, job: Job, cancelled: bool, now: float) -> None:
        if cancelled:
            self.load.drop(job, now)
        else:
            self.load.end(job, now)
        self._release()

    def _release(self) -> None:
        """Give the free thread to the job whose caller has waited longest."""
        if not self._waiting:
            self._free += 1
            return
        place = min(self._waiting, key=lambda waiting: waiting[:2])
        self._waiting.remove(place)
        place[2].set_result(None)
