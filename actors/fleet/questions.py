"""Questions as tasks: those of one user one after another, all others at the same time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from register import RegisterAway

log = logging.getLogger(__name__)

T = TypeVar("T")


async def answer_or(otherwise: T, question: Awaitable[T]) -> T:
    """The answer of a register, or what is to be taken for it while that is away. A fault of ours is logged."""
    try:
        return await question
    except RegisterAway:
        return otherwise
    except Exception:  # nobody may wait for ever
        log.exception("a question to the register failed")
        return otherwise


class Questions:
    """Each runs in a task; those with the same key in the order in which they came."""

    def __init__(self) -> None:
        self._newest: dict[str, asyncio.Task[None]] = {}

    def ask(self, key: str, question: Callable[[], Awaitable[None]]) -> None:
        """Ask as soon as those before it are answered."""
        task = asyncio.get_running_loop().create_task(_after(self._newest.get(key), question), name="a fleet's limit")
        self._newest[key] = task
        task.add_done_callback(partial(self._done, key))

    def _done(self, key: str, task: "asyncio.Task[None]") -> None:
        if self._newest.get(key) is task:
            del self._newest[key]
        if not task.cancelled() and (error := task.exception()):
            log.error("a question to the register crashed", exc_info=error)


async def _after(before: "asyncio.Task[None] | None", question: Callable[[], Awaitable[None]]) -> None:
    if before:
        await asyncio.wait([before])
    await question()
