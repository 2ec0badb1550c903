"""A daemon thread for calls that may never return, such as a `stat` on a network file system.

Unlike the executors of asyncio and concurrent.futures, whose threads are joined at exit, it does not stop the process
from ending while a call hangs.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
_Job: TypeAlias = tuple[Callable[[], Any], "Future[Any]"]


class JobThread:
    """One thread that runs one job after the other."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    async def run(self, job: Callable[[], T]) -> T:
        """Run a job in the thread; returns or raises what it does. Cancelling does not stop a job that has begun."""
        result: Future[T] = Future()
        self._jobs.put((job, result))
        return await asyncio.wrap_future(result)

    def close(self) -> None:
        """End the thread after its current job, if that ends. Returns at once."""
        self._jobs.put(None)

    def _work(self) -> None:
        while queued := self._jobs.get():
            job, result = queued
            if result.set_running_or_notify_cancel():
                _do(job, result)
            del queued, job, result  # free the job and its result while the thread waits for the next


def _do(job: Callable[[], T], result: "Future[T]") -> None:
    try:
        result.set_result(job())
    except BaseException as error:  # a panic of a library in Rust is a BaseException
        result.set_exception(error)
