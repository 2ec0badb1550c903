"""A thread for what may never come back, such as a question to a file system over a network. Nobody waits for it."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
_Job: TypeAlias = tuple[Callable[[], Any], "Future[Any]"]


class Aside:
    """One thread, one job after the other. The process may end in the middle of a job: its pools join their threads."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    async def run(self, job: Callable[[], T]) -> T:
        """What the job returns or raises; cancelling leaves a job that has begun to itself."""
        result: Future[T] = Future()
        self._jobs.put((job, result))
        return await asyncio.wrap_future(result)

    def close(self) -> None:
        """End the thread after the job that it is at, if that ends; returns at once."""
        self._jobs.put(None)

    def _work(self) -> None:
        while given := self._jobs.get():
            job, result = given
            if result.set_running_or_notify_cancel():
                _do(job, result)
            del given, job, result  # what was handed over is not kept while there is nothing to do


def _do(job: Callable[[], T], result: "Future[T]") -> None:
    try:
        result.set_result(job())
    except BaseException as error:  # a panic of a library in Rust is one
        result.set_exception(error)
