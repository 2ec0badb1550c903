"""A Ref that remembers what it was told, for tests that run on a real loop."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
PATIENCE = 60.0  # seconds for whatever is waited for; only a fault ever takes so long


class Probe:
    """Stands where an actor would."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self._news = asyncio.Event()

    def tell(self, message: Any, /) -> None:
        self.heard.append(message)
        self._news.set()

    async def expect(self, kind: type[T], within: float = PATIENCE) -> T:
        """The first message of this type that was not taken yet; it is taken now."""
        async with asyncio.timeout(within):
            while True:
                for message in self.heard:
                    if isinstance(message, kind):
                        self.heard.remove(message)
                        return message
                self._news.clear()
                await self._news.wait()


async def until(true: Callable[[], object], within: float = PATIENCE) -> None:
    """Let everything have its turns until this holds."""
    async with asyncio.timeout(within):
        while True:
            if true():
                return
            await asyncio.sleep(0.001)
