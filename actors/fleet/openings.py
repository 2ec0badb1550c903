"""When a connection to the model may be opened: so many a second, of all servers of a fleet together."""

import asyncio
import random

from actors.fleet.questions import answer_or
from register import Register

OPENS_A_SECOND = 250.0  # 500 calls of one server that lose theirs at once ask for as many: it is not slowed down
MOST_SECONDS = 5.0  # with the 7 s that a connection may take less than the 15 s that a caller waits for one


class Openings:
    """Spaces openings; while the register is away there is no wait. `turn` is for Upstream."""

    def __init__(self, register: Register, a_second: float = OPENS_A_SECOND) -> None:
        self._limits, self._a_second = register.limits, a_second

    async def turn(self) -> None:
        """Wait for the next moment that is free; if that is too far away, for any within MOST_SECONDS."""
        wait = await answer_or(0.0, self._limits.opening(self._a_second, MOST_SECONDS))
        await asyncio.sleep(random.uniform(0.0, MOST_SECONDS) if wait is None else wait)
