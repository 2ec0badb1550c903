"""A WebSocket to write to, and one behind a gate that is shut (actors/gate.py)."""

from collections.abc import Callable
from typing import Protocol

from aiohttp import WSMsgType

from actors.gate import Gate


class Socket(Protocol):
    """A WebSocket to write to."""

    async def send_frame(self, message: bytes, opcode: WSMsgType, /) -> None:
        """Write a frame, and wait while the caller reads too slowly."""
        ...

    async def send_part(self, part: bytes, opcode: WSMsgType, /, *, last: bool) -> None:
        """Write a part of a message (a fragment), and wait while the caller reads too slowly."""
        ...

    async def close(self, *, code: int, message: bytes) -> bool:
        """Write a close frame."""
        ...


class HeldSocket:
    """A socket behind a gate that is shut: what is given away meanwhile is not written."""

    def __init__(self, held: Socket, gate: Gate, given_away: Callable[[], bool]) -> None:
        self.held, self._gate, self._given_away = held, gate, given_away

    async def send_frame(self, message: bytes, opcode: WSMsgType, /) -> None:
        """As of Socket."""
        await self._gate.wait()
        if not self._given_away():
            await self.held.send_frame(message, opcode)

    async def send_part(self, part: bytes, opcode: WSMsgType, /, *, last: bool) -> None:
        """As of Socket."""
        await self._gate.wait()
        if last or not self._given_away():
            await self.held.send_part(part, opcode, last=last)

    async def close(self, *, code: int, message: bytes) -> bool:
        """As of Socket."""
        await self._gate.wait()
        return await self.held.close(code=code, message=message)
