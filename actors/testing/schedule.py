"""What runs next on a stage, and at what time: callbacks that are ready, and timers on a clock that only jumps."""

import asyncio
from collections import deque
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any

NANOSECONDS = 10**9


class Schedule:
    """`now` counts whole nanoseconds from 0, so that ten tenths of a second are one second.

    Callbacks run in the order in which they became ready. With a `seed` their owners, the actors, take turns in a
    random order; those of one owner keep their order, and so do all that have none (tasks, futures).
    """

    def __init__(self, seed: int | None = None) -> None:
        self.now = 0
        self._ready: deque[tuple[Any, asyncio.Handle]] = deque()  # (owner, callback)
        self._timers: list[tuple[int, int, Any, asyncio.TimerHandle]] = []  # (due in ns, tie, owner, timer)
        self._ties = count()
        self._random = None if seed is None else Random(seed)
        self._flips = 0

    def add(self, owner: Any, handle: asyncio.Handle) -> None:
        """A callback is ready."""
        self._ready.append((owner, handle))

    def add_timer(self, owner: Any, timer: asyncio.TimerHandle) -> None:
        """A callback is due later: after now, however little."""
        due = round(timer.when() * NANOSECONDS)
        if due == self.now and timer.when() > self.now / NANOSECONDS:
            due += 1  # later is later, or who waits for the rest of a rounding error waits for ever
        heappush(self._timers, (due, next(self._ties), owner, timer))

    def take(self) -> asyncio.Handle | None:
        """The callback to run next; None if none is ready."""
        if not self._ready:
            return None
        place = 0
        if self._random:  # one of those who have something to do, and the first thing that they have to do
            owner = self._ready[self._random.randrange(len(self._ready))][0]
            place = next(place for place, ready in enumerate(self._ready) if ready[0] is owner)
        _, handle = self._ready[place]
        del self._ready[place]
        return handle

    def fire(self) -> None:
        """Make ready what is due."""
        while self._timers and self._timers[0][0] <= self.now:
            *_, owner, timer = heappop(self._timers)
            if not timer.cancelled():
                self._ready.append((owner, timer))

    def due(self, end: int) -> int | None:
        """When the earliest timer is due, if that is not after `end`; in nanoseconds."""
        while self._timers and self._timers[0][-1].cancelled():
            heappop(self._timers)
        return self._timers[0][0] if self._timers and self._timers[0][0] <= end else None

    def pending(self) -> list[tuple[Any, asyncio.TimerHandle]]:
        """The timers that are set, the earliest first, each with its owner, if any."""
        return [(owner, timer) for *_, owner, timer in sorted(self._timers) if not timer.cancelled()]

    def turn_clock(self) -> float:
        """What ends an actor's turn: never time; with a seed the toss of a coin after each message."""
        if self._random:
            self._flips += self._random.getrandbits(1)
        return self._flips

    def clear(self) -> None:
        """Nothing runs any more."""
        self._ready.clear()
        self._timers.clear()
