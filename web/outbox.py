"""The one file that moves the caller's bytes: what a session tells is written to the socket, in order."""

import asyncio
import logging
from collections import deque

from aiohttp import WSMsgType, web

from actors.messages import Admitted, Close, Detached, From, ToCaller
from actors.pykka_loop import LoopRef
from web import wire

log = logging.getLogger(__name__)

MAX_WAITING = 32 * 2**20  # bytes: some three minutes of whole replies that the client does not read
WRITE_SECONDS = 10.0
SLOWEST_LINE = 16_000  # bytes a second that a client must read at the least
TOO_SLOW = Close(4408, "you read too slowly: check the network and call again")


class Outbox:
    """A Ref for whoever talks to this caller. `admitted` resolves to the session, or to None with a Close."""

    def __init__(self, socket: web.WebSocketResponse[bool], transport: asyncio.BaseTransport | None) -> None:
        self._socket, self._transport = socket, transport
        self._waiting: deque[bytes | Close] = deque()
        self._size = 0
        self._wake = asyncio.Event()
        self.closing = False  # a Close was told: `run` ends by itself, within the time that a close may take
        self.admitted: asyncio.Future[LoopRef[From | Detached] | None] = asyncio.get_running_loop().create_future()

    def tell(self, message: ToCaller | Admitted, /) -> None:
        """Queue it; after a Close, and once the client is too slow, nothing more is taken."""
        if isinstance(message, Admitted):
            if not self.admitted.done():
                self.admitted.set_result(message.session)
        elif not self.closing:
            self._put(message if isinstance(message, Close) else wire.write(message))

    def _put(self, frame: bytes | Close) -> None:
        if isinstance(frame, bytes) and self._size + len(frame) > MAX_WAITING:
            self._waiting.clear()
            frame = TOO_SLOW
        if isinstance(frame, Close):
            self.closing = True
        else:
            self._size += len(frame)
        self._waiting.append(frame)
        self._wake.set()

    async def run(self) -> None:
        """Write until a Close was told, or the socket is gone."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting:
                    if await self._write(self._waiting.popleft()):
                        return
        except (ConnectionError, TimeoutError) as error:
            log.debug("the caller is gone, or reads nothing: %r", error)
            if self.closing:
                self._turn_away()
            if isinstance(self._transport, asyncio.WriteTransport):
                self._transport.abort()

    async def _write(self, frame: bytes | Close) -> bool:
        """Write one; True when it was the last."""
        if isinstance(frame, Close):
            self._turn_away()
            async with asyncio.timeout(WRITE_SECONDS):
                await self._socket.close(code=frame.code, message=frame.reason.encode()[:123])
            return True
        async with asyncio.timeout(WRITE_SECONDS + len(frame) / SLOWEST_LINE):
            await self._socket.send_frame(frame, WSMsgType.TEXT)
        self._size -= len(frame)
        return False

    def _turn_away(self) -> None:
        if not self.admitted.done():
            self.admitted.set_result(None)
