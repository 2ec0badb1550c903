"""Middleware that spreads the beginnings of calls: to begin one takes 4 ms of the event loop.

A call has a place in time, and then a turn, in which one begins: so calls begin as fast as those that are on the line
bear it. Calls have turns of their own, and do not wait behind the requests.
"""

import asyncio
from contextlib import suppress

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from web.request_scheduler import RequestScheduler
from web.throttle import CALLS

FASTER = 1.5  # times the rate at which calls are admitted, so that nobody is kept waiting who is refused anyway
LONGEST = 1.0  # seconds that a call waits for its place, and again for its turn


class Slots:
    """Times at which calls begin, `a_second` of them. `now` is in seconds, on a monotonic clock."""

    def __init__(self, a_second: float) -> None:
        self._each, self._next = 1 / a_second, 0.0

    def wait(self, now: float) -> float:
        """Take the next slot; returns the seconds until it, or 0 if that is over LONGEST: then the call is refused."""
        slot = max(now, self._next)
        if slot - now > LONGEST:
            return 0.0
        self._next = slot + self._each
        return slot - now


def spread_calls(connects: int) -> Middleware:
    """Have calls that come at once begin one after another; `connects` of them are admitted a second."""
    slots, turns = Slots(FASTER * connects), RequestScheduler()

    @web.middleware
    async def spread(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(CALLS):
            if wait := slots.wait(asyncio.get_running_loop().time()):
                await asyncio.sleep(wait)
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST):
                    await turns.turn()
        return await handler(request)

    return spread
