"""The gate before the connections of callers: while it is shut nothing is written to them."""

import asyncio
from typing import Protocol
from weakref import WeakSet


class Held(Protocol):
    """Writes to a caller."""

    def hold(self, gate: "Gate") -> None:
        """Write nothing until the gate is open."""
        ...

    def release(self) -> None:
        """The gate is open."""
        ...


class Gate:
    """Open at first. What has not been written when it is shut waits; what comes meanwhile is queued as ever."""

    def __init__(self) -> None:
        self._outboxes: WeakSet[Held] = WeakSet()
        self._opened: asyncio.Event | None = None

    @property
    def is_shut(self) -> bool:
        """True if nothing is written."""
        return self._opened is not None

    def add(self, outbox: Held) -> None:
        """One more connection."""
        self._outboxes.add(outbox)

    def shut(self) -> None:
        """From now on nothing is written."""
        if not self._opened:
            self._opened = asyncio.Event()
            for outbox in self._outboxes:
                outbox.hold(self)

    def open(self) -> None:
        """Write again."""
        if self._opened:
            self._opened.set()
            self._opened = None
            for outbox in self._outboxes:
                outbox.release()

    async def wait(self) -> None:
        """Until it is open."""
        if self._opened:
            await self._opened.wait()
