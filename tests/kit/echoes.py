"""Servers that say their names, for what is in front of them: who answers a call, and who comes back to whom."""

import asyncio
from http import HTTPStatus
from pathlib import Path

from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.asyncio.server import Server, ServerConnection, unix_serve
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.http11 import Request, Response

from tests.kit.story import WITHIN


class Echo:
    """A server that says its name and stays on the line. `ready` is what it says of itself.

    It pings every `ping` seconds, or never, and keeps the handshakes that it saw.
    """

    def __init__(self, folder: Path, name: str, ping: float | None = None) -> None:
        self.name, self.path, self.ready, self.ping = name, folder / name, True, ping
        self.asked: list[Request] = []
        self._server: Server | None = None

    async def start(self) -> None:
        """Listen on its socket."""
        self._server = await unix_serve(
            self._talk, str(self.path), process_request=self._answer, ping_interval=self.ping, ping_timeout=None
        )
        await asyncio.to_thread(self.path.chmod, 0o666)

    async def stop(self) -> None:
        """Die: the line goes with it."""
        if self._server:
            self._server.close()
            await self._server.wait_closed()
            self._server = None
            self.path.unlink(missing_ok=True)

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path == "/ready":
            return connection.respond(HTTPStatus.OK if self.ready else HTTPStatus.SERVICE_UNAVAILABLE, "")
        if "Upgrade" not in request.headers:
            return connection.respond(HTTPStatus.OK, self.name)
        self.asked.append(request)
        return None

    async def _talk(self, connection: ServerConnection) -> None:
        await connection.send(self.name)
        await connection.wait_closed()


async def call(front: Path, query: str = "") -> tuple[ClientConnection, str]:
    """Call, and hear who answers."""
    connection = await unix_connect(str(front), f"ws://localhost/ws/u1{query}", proxy=None, ping_interval=None)
    return connection, str(await connection.recv())


async def who(front: Path, query: str = "") -> str:
    """Who answers a call that hangs up at once; nobody, if nobody does."""
    try:
        connection, name = await call(front, query)
    except (ConnectionClosed, InvalidHandshake, OSError):
        return "nobody"
    await connection.close()
    return name


async def becomes(front: Path, query: str, name: str) -> None:
    """Wait until this one answers, ten times in a row."""
    async with asyncio.timeout(WITHIN):
        row = 0
        while row < 10:
            row = row + 1 if await who(front, query) == name else 0
