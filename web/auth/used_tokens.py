"""The memory of tokens that are good for one call."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

MOST_TRIES = 3  # connections of one token: a phone may lose the first before it has said anything


class UsedTokens(Protocol):
    """Remembers each token until its last moment, in Unix seconds."""

    async def take(self, token_id: str, expires: int) -> bool:
        """One more connection opens with this token; False if the token is spent, or was tried too often.

        Raises RegisterAway where that cannot be known.
        """
        ...

    def spend(self, token_id: str) -> None:
        """The caller has said something: no other connection may open with this token."""
        ...


class MemoryUsedTokens:
    """The memory of one process. `wall` is the time in Unix seconds."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._tries: OrderedDict[str, tuple[int, int]] = OrderedDict()  # by id, the last moment and the connections

    def __len__(self) -> int:
        return len(self._tries)

    async def take(self, token_id: str, expires: int) -> bool:
        """As of UsedTokens."""
        self._forget()
        _, tries = self._tries.get(token_id, (expires, 0))
        self._tries[token_id] = (expires, tries + 1)
        return tries < MOST_TRIES

    def spend(self, token_id: str) -> None:
        """As of UsedTokens."""
        expires, _ = self._tries.get(token_id, (0, 0))
        if expires:
            self._tries[token_id] = (expires, MOST_TRIES)

    def _forget(self) -> None:
        """Forget tokens that have expired, the ones that came first before others."""
        now = self._wall()
        while self._tries and next(iter(self._tries.values()))[0] < now:
            self._tries.popitem(last=False)
