"""A thread for work that would block the loop: one job at a time, first come first served."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Worker:
    """One thread and its queue; the queue is bounded by the sessions, which ask one job at a time each."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._jobs: set[Future[Any]] = set()

    async def run(self, job: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Do the job in the thread; cancelling takes a waiting job back, and drops the result of a running one."""
        future = self._thread.submit(job, *args, **kwargs)
        self._jobs.add(future)
        future.add_done_callback(self._jobs.discard)
        return await asyncio.wrap_future(future)

    @property
    def queued(self) -> int:
        """Jobs that wait or run."""
        return len(self._jobs)

    def close(self) -> None:
        """Take back what waits and let the thread end; returns at once."""
        self._thread.shutdown(wait=False, cancel_futures=True)
