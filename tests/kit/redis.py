"""A real Redis on a socket of its own, and a slow line to it. Without redis-server such tests are skipped."""

import asyncio
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Protocol, TypeAlias

import pytest

from register import Bounds, Memory, MemoryRegister, Register, open_register
from tests.kit.story import WITHIN, until

PROGRAM = shutil.which("redis-server")

PATIENT = Bounds(answer=WITHIN, turn=WITHIN, yielding=WITHIN)  # only a fault takes so long, also on a busy machine


class Nodes(Protocol):
    """The nodes of a fleet, by their names."""

    async def __call__(self, name: str, bounds: Bounds = PATIENT) -> Register:
        """Makes a node of this name: its register, once that is here."""

    def forget(self) -> None:
        """All that they share is lost."""


Fleet: TypeAlias = Callable[[], AbstractAsyncContextManager[Nodes]]
"""Nodes that share what is lost when it is over."""


class RedisServer:
    """One process, killed by its id. It keeps nothing on disk: a restart loses all data unless it is `saved`."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self.socket = folder, folder / "socket"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of it."""
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        assert PROGRAM
        command = [PROGRAM, "--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.folder), "--save", ""]
        command += ["--daemonize", "no", "--logfile", str(self.folder / "log"), *self._options]
        self._process = subprocess.Popen(command)
        deadline = time.monotonic() + WITHIN
        while not self.says("PING").startswith(b"+PONG"):
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.01)

    def says(self, *command: str) -> bytes:
        """Its answer, a line or a text; empty while it is not there."""
        with suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.settimeout(WITHIN)
            line.connect(str(self.socket))
            line.sendall(" ".join(command).encode() + b"\r\n")
            answer = line.recv(4096)
            if answer.startswith(b"$"):  # it says how long it is
                length, _, begun = answer.partition(b"\r\n")
                while len(begun) < int(length[1:]) and (more := line.recv(65536)):
                    begun += more
                return begun
            return answer
        return b""

    def field(self, name: str, part: str = "") -> str:
        """What INFO says of this, or of a part of it; 0 if nothing."""
        lines = self.says("INFO", "everything").decode().splitlines()
        value = next((line.partition(":")[2] for line in lines if line.startswith(f"{name}:")), "0")
        parts = dict(one.partition("=")[::2] for one in value.split(","))
        return parts.get(part, value) if part else value

    def pause(self) -> None:
        """It stands still."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """It goes on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """It is no more."""
        if self._process:
            self._signal(signal.SIGKILL)
            self._process.wait(WITHIN)
            self.socket.unlink(missing_ok=True)
        self._process = None

    def _signal(self, what: signal.Signals) -> None:
        assert self._process
        self._process.send_signal(what)


@contextmanager
def redis_server(*options: str) -> Iterator[RedisServer]:
    """One that runs."""
    if PROGRAM is None:
        pytest.skip("no redis-server: apt-get install redis-server")
    with tempfile.TemporaryDirectory(prefix="redis") as folder:
        server = RedisServer(Path(folder), *options)
        try:
            server.start()
            yield server
        finally:
            server.kill()


async def comes_true(ask: Callable[[], Awaitable[object]]) -> None:
    """Ask until the answer is true."""
    async with asyncio.timeout(WITHIN):
        while True:
            if await ask():
                return
            await asyncio.sleep(0.01)


class _InRedis:
    def __init__(self, server: RedisServer) -> None:
        self.server, self.opened = server, list[Register]()

    async def __call__(self, name: str, bounds: Bounds = PATIENT) -> Register:
        register = open_register(self.server.url, name, bounds)
        self.opened.append(register)
        await until(lambda: register.presence.here, lambda: register.presence.reason)
        return register

    def forget(self) -> None:
        self.server.says("FLUSHALL")


class _InMemory:
    def __init__(self) -> None:
        self.memory = Memory()

    async def __call__(self, name: str, bounds: Bounds = PATIENT) -> Register:
        return MemoryRegister(name, self.memory, bounds)

    def forget(self) -> None:
        self.memory.forget()


@asynccontextmanager
async def nodes_of(server: RedisServer) -> AsyncIterator[Nodes]:
    """Nodes that share this Redis."""
    nodes = _InRedis(server)
    try:
        yield nodes
    finally:
        for register in nodes.opened:
            await register.close()


@asynccontextmanager
async def nodes_in_memory() -> AsyncIterator[Nodes]:
    """Nodes that share a memory."""
    yield _InMemory()


class Slow:
    """A line to a Redis; each answer comes `seconds` late. None comes while it is `held`."""

    def __init__(self, to: RedisServer) -> None:
        self.seconds = 0.0
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.socket = to.folder / "slow"
        self.url = f"unix://{self.socket}"
        self._to = to
        self._ways: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Slow"]:
        """Carry connections meanwhile."""
        server = await asyncio.start_unix_server(self._carry, str(self.socket))
        try:
            yield self
        finally:
            server.close()
            for way in self._ways:
                way.cancel()
            await asyncio.gather(*self._ways, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_redis, to_redis = await asyncio.open_unix_connection(str(self._to.socket))
        for way in (self._way(reader, to_redis, late=False), self._way(from_redis, writer, late=True)):
            task = asyncio.get_running_loop().create_task(way)
            self._ways.add(task)
            task.add_done_callback(self._ways.discard)

    async def _way(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, late: bool) -> None:
        try:
            while data := await reader.read(65536):
                if late:
                    await asyncio.sleep(self.seconds)
                    await self.flowing.wait()
                writer.write(data)
        except OSError:
            pass
        finally:
            writer.close()
