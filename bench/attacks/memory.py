"""What a server and its children hold, looked at five times a second."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import psutil

from bench.marks import now

EACH = 0.2
ALIKE, AND_MB = 1.1, 16  # so little more than before is the same


class Held(NamedTuple):
    """Resident MB, at a moment in seconds."""

    at: float
    server: float
    children: float


class Memory:
    """All samples; `too_much` is called once the server alone holds `most` MB."""

    def __init__(self, process: psutil.Process, most: float, too_much: Callable[[], None]) -> None:
        self._process, self._most, self._too_much = process, most, too_much
        self.samples = [self.look()]

    def look(self) -> Held:
        """Now."""
        children = 0.0
        with suppress(psutil.NoSuchProcess):
            for child in self._process.children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    children += child.memory_info().rss / 1e6
        return Held(now() / 1e6, self._process.memory_info().rss / 1e6, children)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator["Memory"]:
        """Look as long as this lasts."""
        task = asyncio.create_task(self._watch())
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError, psutil.NoSuchProcess):
                await task

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(EACH)
            self.samples.append(held := self.look())
            if held.server > self._most:
                self._too_much()

    def peak(self, since: float) -> Held:
        """The most of each."""
        later = [held for held in self.samples if held.at >= since] or self.samples[-1:]
        return Held(since, max(held.server for held in later), max(held.children for held in later))

    async def back(self, before: Held, seconds: float) -> Held:
        """As soon as no more is held than before, or after so many seconds."""
        for _ in range(round(seconds / EACH)):
            if alike(self.look(), before):
                break
            await asyncio.sleep(EACH)
        return self.look()


def alike(held: Held, before: Held) -> bool:
    """Whether the memory is back where it was."""
    return all(
        then <= first * ALIKE + AND_MB
        for then, first in ((held.server, before.server), (held.children, before.children))
    )
