"""Tunes the garbage collector and the allocator for a process that runs for long."""

import asyncio
import gc

from cage import return_large_blocks, trim

# Objects that were made and not freed before a collection of the youngest generation, and collections of one before the
# next older one is collected too. Python's own are 700, 10, 10. A collection holds the loop for 1 ms for each 2,000
# objects that are still in use: with 5,000, 10, 5 a flood made it stand still for 20 to 60 ms twice a second.
# Connections leave nothing in cycles (web/cycles.py): there is little that only a full collection frees.
GC_THRESHOLDS = (2_000, 5, 50)

TRIM_SECONDS = 10.0


def freeze_memory() -> None:
    """Exempt all present objects from garbage collection: a full collection of them took 148 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    return_large_blocks()


class Trimmer:
    """Has glibc return the pages of freed small blocks to the system, every ten seconds until `stop`.

    40 MB of them stayed after sixty callers had sent what nobody read. A round takes 0.2 to 0.5 ms of the event loop,
    and once 6 ms where it returns 40 MB. Does nothing with another C library.
    """

    def __init__(self, seconds: float = TRIM_SECONDS) -> None:
        self._seconds, self._loop = seconds, asyncio.get_running_loop()
        self._timer = self._loop.call_later(seconds, self._due)

    def stop(self) -> None:
        """Trim no more."""
        self._timer.cancel()

    def _due(self) -> None:
        trim()
        self._timer = self._loop.call_later(self._seconds, self._due)
