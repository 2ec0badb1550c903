"""Shares the event loop between what can wait and the audio, so that much of the one cannot delay the other.

HTTP requests can wait, calls that begin, and what a caller sends who sends too much at once. One at a time has the
loop, for about SLICE; for more work it waits for another turn. A turn begins when no actor waits for its own, but after
LONGEST in any case. After each turn the loop runs whatever is ready, and after SLICE seconds of turns nobody has one
for as long as those took.
"""

import asyncio
import time

from aiohttp import web
from aiohttp.typedefs import Handler

from actors.runtime.mailbox import rounds_of

SLICE = 0.001  # seconds
LONGEST = 0.1  # seconds that one waits for the actors, who may have too much to do for good
EXEMPT = ("/ws", "/health", "/ready")  # calls, and health checks, which cost next to nothing


class RequestScheduler:
    """Turns are had in the order in which they were asked for."""

    def __init__(self, seconds: float = SLICE) -> None:
        self._slice = seconds
        self._lock = asyncio.Lock()
        self._used = 0.0  # seconds of turns since the last pause

    async def turn(self) -> None:
        """Wait for a turn, which lasts until the next await."""
        await self._lock.acquire()
        loop, began = asyncio.get_running_loop(), time.perf_counter()
        actors = rounds_of(loop)
        while actors.behind and time.perf_counter() - began < LONGEST:
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                self._lock.release()
                raise
        loop.call_soon(self._ended, time.perf_counter())

    def is_used_up(self, since: float) -> bool:
        """True if a turn that began at `since`, in `time.perf_counter`, should end."""
        return time.perf_counter() - since > self._slice / 2

    def _ended(self, began: float) -> None:
        self._used += time.perf_counter() - began
        if self._used < self._slice:
            self._lock.release()
        else:
            asyncio.get_running_loop().call_later(self._used, self._lock.release)
            self._used = 0.0


SCHEDULER = web.AppKey("scheduler", RequestScheduler)


@web.middleware
async def schedule_requests(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Wait for a turn before any request is handled, also one that will be answered with 404."""
    if not request.path.startswith(EXEMPT):
        await request.app[SCHEDULER].turn()
    return await handler(request)
