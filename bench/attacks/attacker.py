"""What all attacks use: connections, and a count of what the attackers spend."""

import asyncio
import itertools
import re
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias, cast

from bench import frames
from bench.marks import user

FIRST = 60_000  # the first of their caller numbers
CALLERS = 5_000
MOST_BYTES = 3 * 2**30
CONNECT_SECONDS = 5.0
PIECE = 256 * 1024
CODE = re.compile(rb'"code":"(\w+)"')
Attack: TypeAlias = Callable[["Attacker"], Coroutine[Any, Any, None]]


class SpentError(Exception):
    """The attackers have sent MOST_BYTES."""


class Wire(asyncio.Protocol):
    """One connection. `status` is the HTTP status of the response, `answers` counts the text frames after it."""

    def __init__(self, attacker: "Attacker") -> None:
        self.status, self.answers = "", 0
        self.gone = False
        self._attacker, self._head, self._reader = attacker, b"", frames.Reader()
        self._changed, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=PIECE)
        self._attacker.wires.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.gone = True
        self._attacker.wires.discard(self)
        self._room.set()
        self._changed.set()

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def data_received(self, data: bytes) -> None:
        self._attacker.received += len(data)
        if not self.status:
            self._head += data
            if b"\r\n\r\n" not in self._head:
                return
            head, _, data = self._head.partition(b"\r\n\r\n")
            self.status = head[9:12].decode("latin-1")
            self._attacker.told[self.status] += 1
        if self.status == "101":
            for opcode, payload in self._reader.feed(data):
                self._take(opcode, payload)
        self._changed.set()

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == frames.TEXT:
            self.answers += 1
            if code := CODE.search(payload[:4096]):
                self._attacker.told[code[1].decode()] += 1
        elif opcode == frames.CLOSE:
            self._attacker.told[f"closed with {int.from_bytes(payload[:2])}"] += 1
            self.transport.close()

    def cut(self) -> None:
        """Abort the connection, unless it is closed already, for which asyncio's transport would raise."""
        if not self.gone:
            self.transport.abort()

    async def write(self, data: bytes) -> None:
        """Write as fast as the peer reads. Raises ConnectionError, SpentError."""
        for at in range(0, len(data), PIECE):
            await self._room.wait()
            if self.gone or self.transport.is_closing():
                raise ConnectionError
            piece = data[at : at + PIECE]
            self._attacker.spend(len(piece))
            self.transport.write(piece)

    async def say(self, message: bytes, opcode: int = frames.TEXT) -> None:
        """Send one frame. Raises ConnectionError, SpentError."""
        await self.write(frames.frame(opcode, message, masked=True))

    async def until(self, true: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait until `true()`. Raises ConnectionError if the connection is closed before, or TimeoutError."""
        async with asyncio.timeout(seconds):
            while not true():
                if self.gone:
                    raise ConnectionError
                self._changed.clear()
                await self._changed.wait()


class Attacker:
    """Opens connections from `addresses` different addresses, and counts what was sent, received and refused.

    `figures` names what is reported of it at the end.
    """

    figures: tuple[str, ...] = ("sent", "received", "connections", "failed", "told")

    def __init__(self, port: int, addresses: int = 1) -> None:
        self.host, self.port = f"127.0.0.1:{port}", port
        self.sent = self.received = self.connections = self.failed = 0
        self.told: Counter[str] = Counter()
        self.wires: set[Wire] = set()
        self._addresses = itertools.cycle([f"127.0.0.{2 + number}" for number in range(addresses)])
        self.numbers = itertools.cycle(range(FIRST, FIRST + CALLERS))

    def spend(self, count: int) -> None:
        """Count bytes that are sent. Raises SpentError."""
        self.sent += count
        if self.sent > MOST_BYTES:
            raise SpentError

    def wire(self) -> Wire:
        """What becomes of the next connection."""
        return Wire(self)

    def path(self, query: str = "") -> str:
        """Where the next caller calls."""
        return f"/ws/{user(next(self.numbers))}" + (f"?{query}" if query else "")

    async def connect(self, little: bool = False) -> Wire:
        """Open a connection. `little`: with a tiny receive buffer in the kernel. Raises OSError, TimeoutError."""
        self.connections += 1
        loop = asyncio.get_running_loop()
        plug = socket.socket()
        try:
            plug.setblocking(False)
            plug.bind((next(self._addresses), 0))
            if little:
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            async with asyncio.timeout(CONNECT_SECONDS):
                await loop.sock_connect(plug, ("127.0.0.1", self.port))
                _, wire = await loop.create_connection(self.wire, sock=plug)
        except BaseException:  # also one that the end of the attack cuts short
            self.failed += 1
            plug.close()
            raise
        return wire

    async def call(self, query: str = "", little: bool = False) -> Wire:
        """Open the WebSocket of a new caller. Raises OSError, TimeoutError, SpentError."""
        wire = await self.connect(little)
        with _closed_on_error(wire):
            await wire.write(frames.request(self.path(query), self.host))
            await wire.until(lambda: bool(wire.status))
            if wire.status != "101":
                raise ConnectionError
        return wire

    async def chosen(self, query: str, little: bool = False) -> Wire:
        """Open a call and wait for the first message of the server. Raises OSError, TimeoutError, SpentError."""
        wire = await self.call(query, little)
        with _closed_on_error(wire):
            await wire.until(lambda: wire.answers > 0)
        return wire


@contextmanager
def _closed_on_error(wire: Wire) -> Iterator[None]:
    try:
        yield
    except BaseException:
        wire.cut()
        raise


async def again(job: Callable[[], Awaitable[None]], pause: float = 0.05) -> None:
    """Repeat a job for ever; if it fails, after a pause."""
    while True:
        with suppress(OSError, TimeoutError):
            await job()
        await asyncio.sleep(pause)


async def crowd(number: int, job: Callable[[], Awaitable[None]], pause: float = 0.05) -> None:
    """Repeat a job for ever, so many times in parallel."""
    await asyncio.gather(*(again(job, pause) for _ in range(number)))
