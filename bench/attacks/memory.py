"""Samples the memory of a server and its children, five times a second."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import psutil

from bench.marks import now

EACH = 0.2
ALIKE, AND_MB = 1.1, 16  # up to this factor, and so many MB, more than before counts as equal


class Held(NamedTuple):
    """Resident MB at a time in seconds."""

    at: float
    server: float
    children: float


class Memory:
    """All samples. `too_much` is called whenever the server alone has more than `most` MB."""

    def __init__(self, process: psutil.Process, most: float, too_much: Callable[[], None]) -> None:
        self._process, self._most, self._too_much = process, most, too_much
        self.samples = [self.sample()]

    def sample(self) -> Held:
        """Measure now."""
        children = 0.0
        with suppress(psutil.NoSuchProcess):
            for child in self._process.children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    children += child.memory_info().rss / 1e6
        return Held(now() / 1e6, self._process.memory_info().rss / 1e6, children)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator["Memory"]:
        """Sample within the context."""
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
            self.samples.append(held := self.sample())
            if held.server > self._most:
                self._too_much()

    def peak(self, since: float) -> Held:
        """The maximum of each since then."""
        later = [held for held in self.samples if held.at >= since] or self.samples[-1:]
        return Held(since, max(held.server for held in later), max(held.children for held in later))

    async def back(self, before: Held, seconds: float) -> Held:
        """Wait until the memory is back where it was, at most so many seconds. Returns a new sample."""
        for _ in range(round(seconds / EACH)):
            if alike(self.sample(), before):
                break
            await asyncio.sleep(EACH)
        return self.sample()


def alike(held: Held, before: Held) -> bool:
    """True if the memory is back where it was."""
    return all(
        then <= first * ALIKE + AND_MB
        for then, first in ((held.server, before.server), (held.children, before.children))
    )
