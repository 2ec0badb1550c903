"""Questions take turns: they run on the loop of the calls, and whatever many ask at once must not hold those up.

One question has the loop, for about a SLICE, and takes another turn for more. Then the calls have it: for all that is
ready, and after a SLICE of questions for as long as those took.
"""

import asyncio
import time

from aiohttp import web
from aiohttp.typedefs import Handler

SLICE = 0.001  # seconds
AT_ONCE = ("/ws", "/health", "/ready")  # calls, and who asks whether we live: that costs next to nothing


class Turnstile:
    """One for a server. First come, first served."""

    def __init__(self, seconds: float = SLICE) -> None:
        self._slice = seconds
        self._one = asyncio.Lock()
        self._used = 0.0  # seconds of questions since the calls last had as much

    async def turn(self) -> None:
        """Wait for one's turn, which lasts until the next await."""
        await self._one.acquire()
        asyncio.get_running_loop().call_soon(self._over, time.perf_counter())

    def is_used_up(self, since: float) -> bool:
        """Whether a turn that began then, by `time.perf_counter`, has lasted long enough."""
        return time.perf_counter() - since > self._slice / 2

    def _over(self, began: float) -> None:
        self._used += time.perf_counter() - began
        if self._used < self._slice:
            self._one.release()
        else:
            asyncio.get_running_loop().call_later(self._used, self._one.release)
            self._used = 0.0


TURNSTILE = web.AppKey("turnstile", Turnstile)


@web.middleware
async def questions_take_turns(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever is asked waits for its turn, also what is answered with 404."""
    if not request.path.startswith(AT_ONCE):
        await request.app[TURNSTILE].turn()
    return await handler(request)
