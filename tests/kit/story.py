"""A test on a real event loop: it has so long that only a hang takes longer, and it leaves nothing behind."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pykka

LONGEST = 300.0  # seconds, for a whole test on a machine that is busy with others
WITHIN = 60.0  # for one thing that a test waits for

T = TypeVar("T")


def run(story: Coroutine[Any, Any, T], loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop) -> T:
    """What the story returns; AssertionError if a task or an actor outlives it."""
    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(_whole(story))


async def until(
    true: Callable[[], object], else_: Callable[[], str] = lambda: "it never came to be", within: float = WITHIN
) -> None:
    """Wait until something is so of which nobody tells; `else_` says what is, if it never comes to be."""
    deadline = asyncio.get_running_loop().time() + within
    while not true():
        assert asyncio.get_running_loop().time() < deadline, else_()
        await asyncio.sleep(0.01)


async def _whole(story: Coroutine[Any, Any, T]) -> T:
    async with asyncio.timeout(LONGEST):
        told = await story
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:  # most are about to end
            _, left = await asyncio.wait(left, timeout=WITHIN)
    assert not left, f"left behind: {left}"
    assert pykka.ActorRegistry.get_all() == []
    return told
