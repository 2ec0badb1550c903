"""The socket of one call, which can also do what no sound one does."""

import asyncio
from contextlib import suppress
from typing import Any

from websockets.asyncio.server import ServerConnection

from engine.faults.faults import Abort, Close, Deliver, Stall, Step, Wait
from engine.faults.misbehaviour import Misbehaviour


class Line(ServerConnection):
    """The library's connection, which carries out what its `misbehaviour` says."""

    misbehaviour = Misbehaviour()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deaf = False

    async def carry_out(self, step: Step) -> None:
        """Do this step to its end; it ends early when the connection does."""
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
        """What comes while we stall is read by nobody; that the client goes is noticed all the same."""
        if not self._deaf:
            super().data_received(data)

    def _stall(self) -> None:
        self._deaf = True
        if self.keepalive_task:
            self.keepalive_task.cancel()
