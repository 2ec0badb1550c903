"""The link on a real socket, with an upstream that the test writes."""

import asyncio
import ssl

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection, serve

from realtime import link
from realtime.events import Frame, LinkEnded, LinkEvent
from realtime.link import MAX_FRAME, MOST_UNHANDLED, Upstream
from tests.kit.probe import PATIENCE

READ = 256 * 1024  # bytes that the loop reads at once


class Busy:
    """A listener that handles nothing until it is let."""

    def __init__(self) -> None:
        self.waiting: list[LinkEvent] = []
        self.handled: list[LinkEvent] = []
        self.news = asyncio.Event()

    @property
    def backlog(self) -> int:
        return len(self.waiting)

    def tell(self, message: LinkEvent, /) -> None:
        self.waiting.append(message)
        self.news.set()

    def handle(self) -> None:
        """Catch up."""
        self.handled += self.waiting
        self.waiting.clear()


def test_an_upstream_that_floods_waits_in_the_network() -> None:
    """While so many frames are unhandled no more are read, and none is lost."""
    frames = 5000

    async def flood(socket: ServerConnection) -> None:
        for number in range(frames):
            await socket.send(f"{number} {'x' * 1000}")

    async def story() -> None:
        async with serve(flood, "127.0.0.1", 0, compression=None) as server:
            busy = Busy()
            port = server.sockets[0].getsockname()[1]
            link = Upstream(f"ws://127.0.0.1:{port}", "model").dial("user", busy, list)
            deepest = 0
            while not any(isinstance(message, LinkEnded) for message in busy.handled):
                busy.news.clear()
                await busy.news.wait()
                for _ in range(200):  # passes of the loop in which it could read on
                    await asyncio.sleep(0)
                deepest = max(deepest, busy.backlog)
                busy.handle()
            numbers = [int(frame.data.split()[0]) for frame in busy.handled if isinstance(frame, Frame)]
            assert numbers == list(range(frames))
            assert deepest <= MOST_UNHANDLED + READ // 1000  # what was read at once is told at once
            link.abort()

    asyncio.run(asyncio.wait_for(story(), PATIENCE))


def test_all_connections_share_one_tls_context() -> None:
    """A new one for each would take 54 ms of the loop."""
    context = ssl.create_default_context()
    upstream = Upstream("wss://127.0.0.1/v1/realtime", "model", tls=context)
    for _ in range(2):
        assert upstream.connecting("user", ClientConnection).create_connection_kwargs["ssl"] is context


def test_a_frame_too_large_ends_the_link() -> None:
    """As any other loss, and at once: nothing of it is told."""

    async def shout(socket: ServerConnection) -> None:
        await socket.send("x" * (MAX_FRAME + 1))
        await socket.wait_closed()

    async def story() -> None:
        async with serve(shout, "127.0.0.1", 0, compression=None) as server:
            port = server.sockets[0].getsockname()[1]
            busy = Busy()
            Upstream(f"ws://127.0.0.1:{port}", "model").dial("user", busy, list)
            while not busy.waiting:
                await busy.news.wait()
                busy.news.clear()
            (ended,) = busy.waiting
            assert isinstance(ended, LinkEnded)
            assert ended.code in (1006, 1009)  # we say 1009, and the upstream may be too busy to agree

    asyncio.run(asyncio.wait_for(story(), PATIENCE))


def test_a_line_that_is_dead_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network takes what is written, but nobody answers a ping."""
    monkeypatch.setattr(link, "PING_SECONDS", 0.1)

    found_out, given_up = asyncio.Event(), asyncio.Event()

    async def freeze(socket: ServerConnection) -> None:
        socket.transport.pause_reading()
        await asyncio.wait([asyncio.create_task(found_out.wait())], timeout=PATIENCE)
        given_up.set()
        socket.transport.abort()

    async def story() -> None:
        async with serve(freeze, "127.0.0.1", 0) as server:
            busy = Busy()
            port = server.sockets[0].getsockname()[1]
            Upstream(f"ws://127.0.0.1:{port}", "model").dial("user", busy, list)
            await busy.news.wait()
            assert not given_up.is_set()
            found_out.set()
        assert busy.waiting == [LinkEnded(1006, "")]

    asyncio.run(asyncio.wait_for(story(), PATIENCE))
