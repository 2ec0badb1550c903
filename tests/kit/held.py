"""What is still held when calls are over, in bytes: without the garbage collector, so that only cycles are left."""

import asyncio
import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

LARGE = 64 * 1024
OTHERS = ("/engine/", "/realtime/server/", "/tests/", "/websockets/server.py", "/phone/")
"""Not the server under test, but who talks to it in the same process."""


def large() -> dict[str, int]:
    """Blocks of memory over LARGE that were made since, by where: bytes."""
    held: dict[str, int] = {}
    for trace in tracemalloc.take_snapshot().traces:
        if trace.size > LARGE:
            lines = [str(line) for line in trace.traceback]
            begun = max((at for at, line in enumerate(lines) if "/asyncio/events.py" in line), default=0)  # by the loop
            if not any(part in line for line in lines[begun:] for part in OTHERS):
                where = " < ".join(lines[-3:])
                held[where] = held.get(where, 0) + trace.size
    return held


@contextmanager
def uncollected() -> Iterator[None]:
    """Nothing is collected meanwhile: what is let go of is freed by its last reference, or stays."""
    gc.collect()
    gc.disable()
    tracemalloc.start(25)
    try:
        yield
    finally:
        tracemalloc.stop()
        gc.enable()


async def nothing_large_is_left(within: float = 60.0) -> None:
    """Wait until no large block is held; AssertionError names those that stay."""
    deadline = asyncio.get_running_loop().time() + within
    while held := large():
        assert asyncio.get_running_loop().time() < deadline, held
        await asyncio.sleep(0.2)
