"""A caller on a bare socket: frames that never end, that are read by nobody, or that come with no haste."""

import asyncio
import os
import struct
from base64 import b64encode
from typing import Any, Self

import orjson

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def head(size: int, kind: int = TEXT, last: bool = True) -> bytes:
    """The header of a frame of so many bytes, masked with zeros, which change nothing."""
    first = kind | (0x80 if last else 0)
    if size < 126:
        return struct.pack(">BB", first, 0x80 | size) + bytes(4)
    if size < 2**16:
        return struct.pack(">BBH", first, 0x80 | 126, size) + bytes(4)
    return struct.pack(">BBQ", first, 0x80 | 127, size) + bytes(4)


def clip_message(clip: bytes) -> bytes:
    """The frame of a recorded clip, without its header."""
    return b'{"type":"audio","audio":"' + b64encode(clip) + b'"}'


class Raw:
    """One call. It reads only when it is asked to, and then frame by frame."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.seen: list[dict[str, Any]] = []
        self.received = 0  # messages, and binary frames

    @classmethod
    async def dial(cls, url: str, user: str = "user-1", query: str = "", early: bytes = b"") -> Self:
        """Call a server at ws://HOST:PORT; `early` is sent with the request."""
        host, _, port = url.removeprefix("ws://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=4096)
        key = b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET /ws-mobile/{user}{query} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
            + early
        )
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        return cls(reader, writer)

    def send(self, data: bytes, kind: int = TEXT) -> None:
        """A whole frame."""
        self.writer.write(head(len(data), kind) + data)

    def say(self, **message: Any) -> None:
        """A message of the wire."""
        self.send(orjson.dumps(message))

    async def frame(self) -> tuple[int, bytes]:
        """The next that comes, whole: what it is, and what it holds. Parts of a message are put together."""
        first, data = await self._part()
        kind, last = first & 15, first & 0x80
        while not last:
            first, more = await self._part()
            if first & 15 == CLOSE:
                return CLOSE, more
            if not first & 8:  # a ping in between needs no answer here
                data, last = data + more, first & 0x80
        self.received += kind in (TEXT, BINARY)
        return kind, data

    async def _part(self) -> tuple[int, bytes]:
        """The next frame: its first byte, and what it holds."""
        first, length = await self.reader.readexactly(2)
        if length == 126:
            (length,) = struct.unpack(">H", await self.reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", await self.reader.readexactly(8))
        return first, await self.reader.readexactly(length)

    async def hear(self, kind: str) -> dict[str, Any]:
        """The next message of this type; what comes before it is passed over."""
        while True:
            opcode, data = await self.frame()
            assert opcode != CLOSE, f"closed: {data!r}, after {self.seen}"
            if opcode == TEXT:
                message: dict[str, Any] = orjson.loads(data)
                if len(data) < 65536:
                    self.seen.append(message)
                if message["type"] == kind:
                    return message

    async def closed(self) -> tuple[int, str]:
        """Read until the server has closed: the code, and the reason. 1006 where it simply went."""
        try:
            while True:
                opcode, data = await self.frame()
                if opcode == CLOSE:
                    return struct.unpack(">H", data[:2])[0], data[2:].decode()
                if opcode == TEXT and len(data) < 65536:
                    self.seen.append(orjson.loads(data))
        except (ConnectionError, asyncio.IncompleteReadError):
            return 1006, ""

    def errors(self) -> list[str]:
        """The codes of those that were heard so far."""
        return [message["code"] for message in self.seen if message["type"] == "error"]

    def vanish(self) -> None:
        """Cut, without a word."""
        self.writer.transport.abort()
