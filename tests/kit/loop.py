"""One event loop for the stories of this process, and the decoders on it: to start them takes longer than a story."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from audio import Pool
from tests.kit.probe import PATIENCE

_runners: list[asyncio.Runner] = []
_pools: list[Pool] = []


def run(story: Coroutine[Any, Any, None]) -> None:
    """Play one story to its end, and let nothing of it go on."""
    if not _runners:
        _runners.append(asyncio.Runner())
    try:
        _runners[0].run(asyncio.wait_for(story, 3 * PATIENCE))
    finally:
        _runners[0].run(_clear())


async def decoders() -> Pool:
    """The decoders of all stories: warm, and idle. A worker that a story has killed is replaced, as in a server."""
    assert _runners, "decoders live on the loop of `run`"
    if not _pools:
        pool = Pool()
        await pool.warm()
        _pools.append(pool)
    return _pools[0]


def close() -> None:
    """End the decoders and the loop, if any story was played."""
    while _pools:
        _runners[0].run(_pools.pop().close())
    while _runners:
        _runners.pop().close()


async def _clear() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
