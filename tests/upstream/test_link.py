"""The link on a real socket, with an upstream that the test writes."""

import asyncio
import logging
import ssl
from http import HTTPStatus

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from tests.kit.story import WITHIN, run, until
from upstream import models
from upstream.facts import FRAMES_AT_ONCE, Frame, LinkBegan, LinkEnded, LinkEvent
from upstream.link import MAX_FRAME, MOST_UNHANDLED, Upstream, check_url
from upstream.readiness import Readiness
from upstream.websocket import Socket

READ = 256 * 1024  # bytes that the loop reads at once


class Busy:
    """A listener that handles nothing until it is let."""

    def __init__(self) -> None:
        self.waiting: list[LinkEvent] = []
        self.handled: list[LinkEvent] = []
        self.began = False
        self.news = asyncio.Event()

    @property
    def backlog(self) -> int:
        return len(self.waiting)

    def tell(self, message: LinkEvent, /) -> None:
        if isinstance(message, LinkBegan):
            self.began = True
            return
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
        async with serve(flood, "127.0.0.1", 0, compression=None, ping_interval=None, close_timeout=WITHIN) as server:
            busy = Busy()
            port = server.sockets[0].getsockname()[1]
            patient = Upstream(f"ws://127.0.0.1:{port}", "model", ping_seconds=WITHIN)  # pongs wait behind the flood
            link = patient.dial("user", busy, list)
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

    run(story())


def test_a_link_says_when_its_turn_to_be_dialled_has_come() -> None:
    """Only so many shake hands at once: the next one begins when one of them is done, and one that is gone lets it."""
    asked, answers = asyncio.Queue[str](), asyncio.Event()

    async def slow(socket: ServerConnection, request: Request) -> None:
        await asked.put(request.path)
        await answers.wait()

    async def story() -> None:
        async with serve(lambda socket: socket.wait_closed(), "127.0.0.1", 0, process_request=slow) as server:
            port = server.sockets[0].getsockname()[1]
            upstream = Upstream(f"ws://127.0.0.1:{port}", "model", handshakes=asyncio.Semaphore(1))
            all_of_them = [Busy() for _ in range(4)]
            links = [upstream.dial("user", busy, list) for busy in all_of_them]
            await asked.get()
            assert [busy.began for busy in all_of_them] == [True, False, False, False]
            links[1].abort()  # while it waits
            links[0].abort()  # while it shakes hands
            await asked.get()
            assert [busy.began for busy in all_of_them] == [True, False, True, False]
            answers.set()
            await asked.get()
            assert [busy.began for busy in all_of_them] == [True, False, True, True]
            for link in links:
                link.abort()
            for busy in all_of_them:
                while not busy.waiting:
                    await busy.news.wait()

    run(story())


def test_a_link_waits_until_others_let_it_be_opened() -> None:
    """Before that it takes no place among those that shake hands, and none of its time passes."""
    turns = asyncio.Queue[None]()

    async def story() -> None:
        async with serve(lambda socket: socket.wait_closed(), "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            upstream = Upstream(f"ws://127.0.0.1:{port}", "model", handshakes=asyncio.Semaphore(1), turn=turns.get)
            gone, opened = Busy(), Busy()
            links = [upstream.dial("user", busy, list) for busy in (gone, opened)]
            for _ in range(10):
                await asyncio.sleep(0)
            assert not upstream.handshakes.locked()
            assert not gone.began
            links[0].abort()
            while not gone.waiting:
                await gone.news.wait()
            turns.put_nowait(None)
            await until(lambda: opened.began)
            links[1].abort()
            while not opened.waiting:
                await opened.news.wait()

    run(story())


@pytest.mark.parametrize("closing", [False, True])
def test_what_is_too_much_at_once_goes_out_bit_by_bit(closing: bool) -> None:
    """In its order, and whole, also when the link is closed at once; in between the others have their turns."""
    count = 10 * FRAMES_AT_ONCE + 1
    heard: list[str] = []
    whole = asyncio.Event()

    async def hear(socket: ServerConnection) -> None:
        async for frame in socket:
            heard.append(str(frame))
            if len(heard) == count:
                whole.set()

    async def story() -> None:
        loop, passes, took, over = asyncio.get_running_loop(), 0, list[int](), False
        waiting = [f"{number}".encode() for number in range(count)]

        def others() -> None:
            nonlocal passes
            passes += 1
            if not over:
                loop.call_soon(others)

        def frames() -> list[bytes]:
            some, waiting[:] = waiting[:FRAMES_AT_ONCE], waiting[FRAMES_AT_ONCE:]
            took.append(passes)
            return some

        async with serve(hear, "127.0.0.1", 0, compression=None) as server:
            port = server.sockets[0].getsockname()[1]
            others()
            link = Upstream(f"ws://127.0.0.1:{port}", "model").dial("user", Busy(), frames)
            if closing:
                link.close()
            await whole.wait()
            over = True
            link.abort()
        assert heard == [str(number) for number in range(count)]
        assert max(took.count(number) for number in took) <= (2 if closing else 1)

    run(story())


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

    run(story())


def test_a_line_that_is_dead_is_found_out() -> None:
    """The network takes what is written, but nobody answers a ping."""
    found_out, given_up = asyncio.Event(), asyncio.Event()

    async def freeze(socket: ServerConnection) -> None:
        socket.transport.pause_reading()
        await asyncio.wait([asyncio.create_task(found_out.wait())], timeout=WITHIN)
        given_up.set()
        socket.transport.abort()

    async def story() -> None:
        async with serve(freeze, "127.0.0.1", 0) as server:
            busy = Busy()
            port = server.sockets[0].getsockname()[1]
            Upstream(f"ws://127.0.0.1:{port}", "model", ping_seconds=0.1).dial("user", busy, list)
            await busy.news.wait()
            assert not given_up.is_set()
            found_out.set()
        assert busy.waiting == [LinkEnded(1006, "")]

    run(story())


def test_a_line_on_which_we_do_not_read_is_not_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """The listener is behind: the answers to our pings lie in the network, behind what it was not told yet."""
    pinged, ping = [0], Socket._ping

    def counted(socket: Socket, seconds: float) -> None:
        pinged[0] += 1
        ping(socket, seconds)

    async def talk(socket: ServerConnection) -> None:
        for _ in range(2 * MOST_UNHANDLED):
            await socket.send("word")
        await socket.wait_closed()

    monkeypatch.setattr(Socket, "_ping", counted)

    async def story() -> None:
        async with serve(talk, "127.0.0.1", 0, compression=None) as server:
            busy, port = Busy(), server.sockets[0].getsockname()[1]
            link = Upstream(f"ws://127.0.0.1:{port}", "model", ping_seconds=0.05).dial("user", busy, list)
            await until(lambda: busy.backlog >= MOST_UNHANDLED)
            pinged[0] = 0
            await until(lambda: pinged[0] >= 4)
            assert all(isinstance(message, Frame) for message in busy.waiting)
            link.abort()
            await until(lambda: isinstance(busy.waiting[-1], LinkEnded))

    run(story())


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("", "/?model=the+best"),
        ("/v1/realtime", "/v1/realtime?model=the+best"),
        ("/v1/realtime/", "/v1/realtime/?model=the+best"),
        ("/v1/realtime?", "/v1/realtime?model=the+best"),
        ("/v1/realtime?&", "/v1/realtime?model=the+best"),
        ("/realtime?api-version=1&deployment=x", "/realtime?api-version=1&deployment=x&model=the+best"),
        ("/realtime?a=%2F+%C3%A9&a=&b", "/realtime?a=%2F+%C3%A9&a=&b&model=the+best"),
        ("/realtime?models=x&submodel=y", "/realtime?models=x&submodel=y&model=the+best"),
        ("/realtime?model=mine&x=%41", "/realtime?model=mine&x=%41"),
        ("/realtime?x=y&model=gpt%2Dmine", "/realtime?x=y&model=gpt%2Dmine"),
        ("/realtime?model=&x=y", "/realtime?x=y&model=the+best"),
    ],
)
def test_the_address_keeps_its_query_and_names_one_model(url: str, asked: str) -> None:
    """As the upstream sees it: of a call, and of the question whether it would answer one."""
    seen: list[str] = []

    async def welcome(socket: ServerConnection) -> None:
        assert socket.request
        seen.append(socket.request.path)
        await socket.send('{"type": "session.created"}')

    async def story() -> None:
        async with serve(welcome, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            upstream = Upstream(check_url(f"ws://127.0.0.1:{port}{url}"), "the best")
            busy = Busy()
            upstream.dial("user", busy, list)
            while not any(isinstance(message, LinkEnded) for message in busy.waiting):
                busy.news.clear()
                await busy.news.wait()
            assert await Readiness(upstream).would_answer()

    run(story())
    assert seen == [asked, asked]


def test_the_model_that_the_address_names_is_the_one_that_is_known() -> None:
    """What it can do, what it costs and when it retires are its own."""
    mine = models.named("gpt-realtime-2.1-mini")
    upstream = Upstream("wss://127.0.0.1/v1/realtime?model=gpt-realtime-2.1-mini", "gpt-realtime-2.1")
    assert (upstream.record, upstream.prices) == (mine, mine.prices)
    assert mine.prices != models.named("gpt-realtime-2.1").prices


def test_an_address_in_capitals_is_as_good() -> None:
    """Its scheme decides whether there is TLS."""
    context = ssl.create_default_context()
    upstream = Upstream(check_url("WSS://127.0.0.1/v1/realtime"), "model", tls=context)
    assert upstream.connecting("user", ClientConnection).create_connection_kwargs["ssl"] is context


SECRET = "sk-of-ours"


@pytest.mark.parametrize(
    "url",
    [
        SECRET, f"http://127.0.0.1/?api-key={SECRET}", f"wss://127.0.0.1/?api-key={SECRET}#end", f"wss:///{SECRET}",
        f"wss://{SECRET}@127.0.0.1", f"wss://u:{SECRET}@[::1", f"wss://127.0.0.1:0/?{SECRET}",
    ],
)  # fmt: skip
def test_an_address_that_is_refused_is_not_repeated(url: str) -> None:
    """It goes to a terminal, and into logs."""
    with pytest.raises(ValueError, match="no WebSocket address") as refused:
        check_url(url)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("location", [None, "http://127.0.0.1:1/?api-key=", "ws://127.0.0.1:1/?api-key=", "#"])
def test_what_becomes_of_a_link_is_told_without_its_query(
    location: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Whether it is opened, or sent on to where no link can be, at any level of the log."""

    def send_on(socket: ServerConnection, request: Request) -> Response | None:
        if location is None:
            return None
        return Response(HTTPStatus.FOUND, "elsewhere", Headers(Location=f"{location}{SECRET}"))

    async def story() -> None:
        async with serve(ServerConnection.wait_closed, "127.0.0.1", 0, process_request=send_on) as server:
            port = server.sockets[0].getsockname()[1]
            upstream = Upstream(f"ws://127.0.0.1:{port}/v1/realtime?api-key={SECRET}", "model")
            busy = Busy()
            dialled = upstream.dial("user", busy, list)
            if location is None:
                dialled.close()
            while not busy.waiting:
                busy.news.clear()
                await busy.news.wait()
            (ended,) = busy.waiting
            assert isinstance(ended, LinkEnded)
            assert SECRET not in f"{ended} {upstream!r}"

    with caplog.at_level(logging.DEBUG, "realtime"):
        run(story())
    assert SECRET not in caplog.text
