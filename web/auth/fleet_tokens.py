"""The memory of tokens that are good for one call, where several servers take them."""

import asyncio
import time
from collections.abc import Callable

from register import Register, RegisterAway
from web.auth.call_tokens import SECONDS
from web.auth.used_tokens import MOST_TRIES, MemoryUsedTokens

SKEW_SECONDS = 60.0  # that a use is known longer than its token is good by our clock: another server's may be slow


class FleetUsedTokens:
    """Implements UsedTokens. `wall` is the time in Unix seconds.

    What was spent is known here at once, and elsewhere as soon as the register is told. Is that away, it is told again
    when it is back: to spend a token twice does no harm.
    """

    def __init__(self, register: Register, wall: Callable[[], float] = time.time) -> None:
        self._limits, self._wall = register.limits, wall
        self._here = MemoryUsedTokens(wall)
        self._untold: dict[str, float] = {}  # spent tokens, by when the register need not know any more
        self._telling: set[asyncio.Task[None]] = set()
        register.presence.on_change(self._changed)

    async def take(self, token_id: str, expires: int) -> bool:
        """As of UsedTokens."""
        taken = await self._limits.use(token_id, MOST_TRIES, max(0.0, expires - self._wall()) + SKEW_SECONDS)
        return await self._here.take(token_id, expires) and taken

    def spend(self, token_id: str) -> None:
        """As of UsedTokens."""
        self._here.spend(token_id)
        self._untold[token_id] = self._wall() + SECONDS + SKEW_SECONDS
        self._tell(token_id)

    def _changed(self, here: bool) -> None:
        if here:
            self._untold = {token_id: until for token_id, until in self._untold.items() if until > self._wall()}
            for token_id in self._untold:
                self._tell(token_id)

    def _tell(self, token_id: str) -> None:
        task = asyncio.get_running_loop().create_task(self._spend(token_id), name="a spent token")
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _spend(self, token_id: str) -> None:
        try:
            await self._limits.use(token_id, MOST_TRIES, SECONDS + SKEW_SECONDS, times=MOST_TRIES)
        except RegisterAway:
            return
        self._untold.pop(token_id, None)
