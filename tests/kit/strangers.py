"""Callers from other addresses of this machine: all of 127.0.0.0/8 is ours."""

import asyncio
from dataclasses import dataclass
from typing import Self

from tests.kit.story import WITHIN

STRANGER = "127.0.0.2"


@dataclass
class Line:
    """A bare connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def dial(cls, address: str, source: str = STRANGER) -> Self:
        """From this address; HOST:PORT."""
        host, port = address.rsplit(":", 1)
        return cls(*await asyncio.open_connection(host, int(port), local_addr=(source, 0)))

    async def ask(self, path: str, *headers: str, body: bytes = b"", method: str = "GET") -> tuple[int, dict[str, str]]:
        """The status of the answer, and its headers in lower case; 0 where there is none."""
        length = [f"Content-Length: {len(body)}"] if body else []
        head = "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *headers, *length, "", ""])
        self.writer.write(head.encode() + body)
        return await self.answer()

    async def call(self, user: str = "u", *headers: str) -> int:
        """Begin a call; the status."""
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", key)
        return (await self.ask(f"/ws/{user}", *upgrade, *headers))[0]

    async def answer(self) -> tuple[int, dict[str, str]]:
        """Read the next one whole, which is left of a body in `last`."""
        self.last = b""
        try:
            async with asyncio.timeout(WITHIN):
                head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
                self.last = await self.reader.readexactly(int(headers.get("content-length", 0)))
        except (asyncio.IncompleteReadError, ConnectionError):
            self.hang_up()
            return 0, {}
        return int(head[0].split()[1]), headers

    async def is_closed(self) -> bool:
        """Wait until the other end has closed it."""
        async with asyncio.timeout(WITHIN):
            try:
                while await self.reader.read(65536):
                    pass
            except ConnectionError:
                pass
        self.hang_up()
        return True

    def hang_up(self) -> None:
        """Close it."""
        self.writer.transport.abort()
