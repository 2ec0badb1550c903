"""Whether the upstream would answer a call now: asked with one handshake, remembered for a moment."""

import asyncio
import time

import orjson
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from upstream.link import Upstream

FRESH_SECONDS = 15.0
PATIENCE_SECONDS = 5.0


class Readiness:
    """Key and model are checked after the 101, so the first event decides: session.created, or an error."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._asking = asyncio.Lock()
        self._asked_at = -FRESH_SECONDS
        self._would_answer = False

    async def would_answer(self) -> bool:
        """True when a connection made at most FRESH_SECONDS ago was welcomed. Never raises."""
        async with self._asking:
            if time.monotonic() - self._asked_at >= FRESH_SECONDS:
                self._would_answer = await self._ask()
                self._asked_at = time.monotonic()
        return self._would_answer

    async def _ask(self) -> bool:
        try:
            async with (
                asyncio.timeout(PATIENCE_SECONDS),
                self._upstream.connecting("readiness", ClientConnection) as socket,
            ):
                first = orjson.loads(await socket.recv())
                return isinstance(first, dict) and first.get("type") == "session.created"
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI, ConnectionClosed, orjson.JSONDecodeError):
            return False
