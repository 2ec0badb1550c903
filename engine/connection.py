"""The WebSocket connection of one call, which can also misbehave as a script demands."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from websockets.asyncio.server import ServerConnection

from engine.faults.faults import Abort, Close, Deliver, Stall, Step, Wait
from engine.faults.misbehaviour import Misbehaviour
from engine.request_body import RequestBody


class FaultyConnection(ServerConnection):
    """A connection of websockets that executes the steps of its `misbehaviour`."""

    misbehaviour = Misbehaviour()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stalled = False
        self.request_body = RequestBody()
        self.leaves: Callable[[], None] | None = None
        """Called when the connection is gone."""

    async def execute(self, step: Step) -> None:
        """Execute a step to its end, or until the connection ends. Raises ConnectionClosed."""
        match step:
            case Deliver(frame):
                await self.send(frame)
            case Wait(seconds):
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await self.wait_closed()
            case Close(code, reason):
                await self.close(code, reason)
            case Abort():
                self.transport.abort()
                await self.wait_closed()
            case Stall():
                self._stall()
                await self.wait_closed()
            case _:
                raise AssertionError(f"not for a line: {step}")

    def data_received(self, data: bytes) -> None:
        """Discard data while stalled, and keep the body of a request.

        The base class still notices that the client disconnects.
        """
        if not self._stalled and (passed := self.request_body.receive(data)):
            super().data_received(passed)

    def connection_lost(self, exc: Exception | None) -> None:
        """Say so."""
        super().connection_lost(exc)
        if self.leaves:
            self.leaves()

    def _stall(self) -> None:
        self._stalled = True
        if self.keepalive_task:
            self.keepalive_task.cancel()
