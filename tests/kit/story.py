"""A test on a real event loop: it has so long that only a hang takes longer, and it leaves nothing behind.

The stories of a test process share one loop, and on it the decoders: to start those takes longer than most stories.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import psutil
import pykka

from audio import Pool

LONGEST = 300.0  # seconds, for a whole test on a machine that is busy with others
WITHIN = 60.0  # for one thing that a test waits for
ROUNDS = 1000  # of the loop, at most, until what a story began has run

T = TypeVar("T")

kept: set[int] = set()
"""The ids of processes that are to outlive a story."""

_runners: list[asyncio.Runner] = []
_pools: list[Pool] = []


def run(story: Coroutine[Any, Any, T], loop: Callable[[], asyncio.AbstractEventLoop] | None = None) -> T:
    """What the story returns. A `loop` is made for it alone.

    AssertionError if a task, an actor or a callback that calls itself outlives it.
    """
    if loop:
        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(_whole(story))
    if not _runners:
        _runners.append(asyncio.Runner())
    try:
        return _runners[0].run(_whole(story))
    finally:
        _runners[0].run(_clear())


@asynccontextmanager
async def decoders() -> AsyncIterator[Pool]:
    """Those of all stories: warm, and idle again afterwards. On a loop that `run` does not share, some of its own.

    A worker that a story has killed is replaced, as in a server.
    """
    if asyncio.get_running_loop() in [runner.get_loop() for runner in _runners]:
        if not _pools:
            _pools.append(await _warm())
        yield _pools[0]
        await until(lambda: not _pools[0].busy and not _pools[0].waiting)
    else:
        pool = await _warm()
        try:
            yield pool
        finally:
            await pool.close()


def children() -> list[psutil.Process]:
    """The processes that this one has started, and those that they have, but for those of all stories."""
    decoders = {decoder._process.pid for pool in _pools for decoder in pool._decoders if decoder._process}
    return [child for child in psutil.Process().children(recursive=True) if child.pid not in kept | decoders]


def ended(one: psutil.Process | int) -> bool:
    """True once this process has ended, whether or not somebody has waited for it; that may be while it is asked."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(one) if isinstance(one, int) else one
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True


async def until(
    true: Callable[[], object], else_: Callable[[], str] = lambda: "it never came to be", within: float = WITHIN
) -> None:
    """Wait until something is so of which nobody tells; `else_` says what is, if it never comes to be."""
    deadline = asyncio.get_running_loop().time() + within
    while not true():
        assert asyncio.get_running_loop().time() < deadline, else_()
        await asyncio.sleep(0.01)


def close() -> None:
    """End the decoders and the loop, when all stories were told."""
    while _pools:
        _runners[0].run(_pools.pop().close())
    while _runners:
        _runners.pop().close()


async def _warm() -> Pool:
    pool = Pool()
    await pool.warm()
    return pool


async def _whole(story: Coroutine[Any, Any, T]) -> T:
    async with asyncio.timeout(LONGEST):
        told = await story
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:  # most are about to end
            _, left = await asyncio.wait(left, timeout=WITHIN)
    assert not left, f"left behind: {left}"
    assert pykka.ActorRegistry.get_all() == []
    await _idle()
    return told


async def _idle() -> None:
    """Wait until nothing is ready. What calls itself again and again would keep the loop busy in all later stories."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, asyncio.BaseEventLoop):
        return  # uvloop's, which tells nothing of it, and no other story is told on it
    for _ in range(ROUNDS):
        await asyncio.sleep(0)
        if not loop._ready:  # type: ignore[attr-defined]  # nothing public tells it
            return
    raise AssertionError(f"never idle again: {list(loop._ready)}")  # type: ignore[attr-defined]


async def _clear() -> None:
    """What a story that failed has left behind must not fail the next."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    for ref in pykka.ActorRegistry.get_all():
        pykka.ActorRegistry.unregister(ref)
