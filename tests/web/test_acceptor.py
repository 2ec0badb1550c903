"""Who comes in, over real sockets: strangers on 127.0.0.2, and a neighbour on 127.0.0.1 who is served all the time."""

import asyncio
import gzip
import logging
import resource
import socket
import ssl
import struct
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import uvloop
from aiohttp import web

from actors.call.snapshot import SessionSnapshot
from actors.counters import Counters
from actors.messages.admission import Connected, Detached, From, Inquired
from actors.messages.caller import Close, Pong
from actors.runtime.ref import alive
from actors.services import Limits
from cli.listening import bind
from tests.kit.exchange import exchange
from tests.kit.insides import shown
from tests.kit.raw import BINARY, PING, Raw, head
from tests.kit.shore import Porter, shore
from tests.kit.story import WITHIN, run, until
from tests.kit.strangers import STRANGER, Line
from web import serving
from web.addresses import OURSELVES, Addresses
from web.client_limits import CLIENT_LIMITS, ClientLimits
from web.connections import Connections
from web.reading_budget import READ_FRAMES
from web.request_handler import TimedRequestHandler

STRICT = Addresses(unlimited=OURSELVES)
LIMITS = Limits(address_connections=8, address_connects=10, address_questions=5)
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
QUICK = ClientLimits(request_seconds=0.5)


class Supervisor:
    """Whoever calls is told that the call is over."""

    def tell(self, message: Connected | Inquired, /) -> None:
        if isinstance(message, Connected):
            message.outbox.tell(Close(1000, "bye"))


async def crowd_of(address: str, count: int) -> tuple[list[Line], list[Line]]:
    """So many strangers at once; those who are still there once they asked how the server is, and the others."""
    came = await asyncio.gather(*(Line.dial(address) for _ in range(count)), return_exceptions=True)
    lines = [line for line in came if isinstance(line, Line)]
    answers = await asyncio.gather(*(line.ask("/health") for line in lines))
    stay = [line for line, (status, _) in zip(lines, answers, strict=True) if status == 200]
    return stay, [line for line in lines if line not in stay]


async def sooner_or_later(so: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again, until it is so."""
    async with asyncio.timeout(WITHIN):
        while not await so():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)


def hang_up(*lines: Line) -> None:
    for line in lines:
        line.hang_up()


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_stranger_with_many_connections_turns_nobody_else_away(
    loop: Callable[[], asyncio.AbstractEventLoop], caplog: pytest.LogCaptureFixture
) -> None:
    """A few are served, the others closed unread; when they are gone, there is room for as many; one line tells it."""

    async def story() -> None:
        limits, counters = Limits(address_questions=1000), Counters()
        async with shore(Supervisor(), limits=limits, addresses=STRICT, counters=counters) as address:
            clock = asyncio.get_running_loop()
            began = clock.time()
            stay, refused = await crowd_of(address, 200)
            assert 20 <= len(stay) <= 21 + limits.address_connects * (clock.time() - began)
            assert counters.address_refused["connections"] == 200 - len(stay)
            neighbours = await asyncio.gather(*(Line.dial(address, "127.0.0.1") for _ in range(50)))
            assert {await one.call() for one in neighbours} == {101}
            hang_up(*stay, *refused, *neighbours)
            await until(lambda: "refused" in caplog.text)

    run(story(), loop)
    lines = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert STRANGER in lines[0]
    assert len(lines) < 10


def test_open_connections_of_one_address_are_bounded_and_come_back() -> None:
    """Also those that have not asked for anything."""

    async def story() -> None:
        async with shore(Supervisor(), limits=Limits(address_connections=3), addresses=STRICT) as address:
            silent = [await Line.dial(address) for _ in range(3)]
            assert await (await Line.dial(address)).is_closed()
            silent[0].hang_up()

            async def again() -> bool:
                line = await Line.dial(address)
                silent.append(line)
                return (await line.ask("/health"))[0] == 200

            await sooner_or_later(again)
            hang_up(*silent)

    run(story())


@pytest.mark.parametrize(("source", "known"), [(STRANGER, STRANGER), ("127.0.0.1", "")])
def test_a_call_is_of_its_address_at_the_shore_and_in_its_session(source: str, known: str) -> None:
    """What waits of it is counted with what waits of the others there; a neighbour who is not limited is alone."""

    async def story() -> None:
        async with exchange(addresses=STRICT) as server:
            line = await Line.dial(server.http.removeprefix("http://"), source)
            assert await line.call() == 101
            await until(lambda: alive()["persona"] == 1)  # the session has begun
            session = server.session("u")
            await until(lambda: shown(session, SessionSnapshot).connection > 0)
            assert shown(session, SessionSnapshot).address == known
            line.writer.write(head(1_000_000) + bytes(500_000))
            await until(lambda: server.waiting.bytes > 400_000)
            assert bool(server.waiting.parcels(STRANGER)) == bool(known)
            line.hang_up()

    run(story())


def test_questions_of_one_address_are_bounded() -> None:
    """429 says when to ask again, and the connection is closed; a neighbour is answered."""

    async def story() -> None:
        counters = Counters()
        async with shore(Supervisor(), limits=LIMITS, addresses=STRICT, counters=counters) as address:
            line, statuses = await Line.dial(address), Counter[int]()
            for _ in range(100):
                status, headers = await line.ask("/api/astrologers")
                statuses[status] += 1
                if status == 429:
                    break
            assert 25 <= statuses[200] < 99
            assert int(headers["retry-after"]) > 0
            assert b"wait a few seconds" in line.last
            assert await line.is_closed()
            assert counters.address_refused["questions"] == 1
            line.hang_up()

    run(story())


def test_calls_of_one_address_are_bounded_over_connections_that_were_kept() -> None:
    """Else a stranger could collect connections first, and then use up the calls of everybody."""

    async def story() -> None:
        limits = Limits(address_connects=2, address_connections=100)
        async with shore(Supervisor(), limits=limits, addresses=STRICT) as address:
            came: list[Line] = []
            while len(came) < 8:
                line = await Line.dial(address)
                if (await line.ask("/health"))[0] == 200:
                    came.append(line)
                else:
                    await asyncio.sleep(0.1)
            statuses = Counter(await asyncio.gather(*(line.call() for line in came)))
            assert statuses[101] >= 3
            assert statuses[429] >= 2
            hang_up(*came)

    run(story())


def test_behind_a_trusted_proxy_each_has_their_own_share() -> None:
    """By the address that the proxy adds; its own connections are not bounded, and stay open."""

    async def story() -> None:
        proxy = Addresses([STRANGER], OURSELVES)
        limits = Limits(address_connects=1, address_questions=1)
        async with shore(Supervisor(), limits=limits, addresses=proxy) as address:
            lines = [await Line.dial(address) for _ in range(60)]
            for _ in range(100):
                status, headers = await lines[0].ask("/health", "X-Forwarded-For: 127.0.0.1, 203.0.113.9")
                if status == 429:
                    break
            assert status == 429
            assert int(headers["retry-after"]) > 0
            assert (await lines[0].ask("/health", "Forwarded: for=198.51.100.7"))[0] == 200
            one = "X-Forwarded-For: 203.0.113.10"
            calls = Counter(await asyncio.gather(*(line.call("u", one) for line in lines[1:40])))
            assert calls[101] >= 2
            assert calls[429] >= 1
            assert calls[101] + calls[429] == 39
            assert await lines[50].call("u", "X-Forwarded-For: 203.0.113.11") == 101
            hang_up(*lines)

    run(story())


def test_open_calls_behind_a_proxy_count_as_connections() -> None:
    """Each is one of the proxy's, which are not counted."""

    async def story() -> None:
        limits, proxy = Limits(address_connections=2), Addresses([STRANGER], OURSELVES)
        async with exchange(limits, addresses=proxy) as server:
            address = server.http.removeprefix("http://")
            lines = [await Line.dial(address) for _ in range(5)]
            statuses = [await line.call(f"u{i}", "X-Forwarded-For: 203.0.113.9") for i, line in enumerate(lines[:3])]
            assert statuses == [101, 101, 429]
            assert b"connections of your address are open" in lines[2].last
            assert await lines[3].call("u3", "X-Forwarded-For: 203.0.113.10") == 101
            lines[0].hang_up()

            async def again() -> bool:
                return (await lines[2].ask("/health", "X-Forwarded-For: 203.0.113.9"))[0] == 200

            await sooner_or_later(again)
            hang_up(*lines)

    run(story())


@pytest.mark.parametrize("begun", [b"", b"GET /health HTTP/1.1\r\nHost: loc", b"\x16\x03\x01"])
def test_a_request_that_does_not_come_is_not_waited_for(begun: bytes) -> None:
    """From the start of the connection; a call, and a connection between two requests, stay."""

    async def story() -> None:
        async with exchange(client_limits=QUICK) as line, line.phone() as phone:
            address = line.http.removeprefix("http://")
            kept, stranger = await Line.dial(address), await Line.dial(address)
            assert (await kept.ask("/health"))[0] == 200
            stranger.writer.write(begun)
            assert await stranger.is_closed()
            await phone.say(type="ping")
            await phone.hear("pong")
            assert (await kept.ask("/health"))[0] == 200
            hang_up(kept, stranger)

    run(story())


def test_a_request_that_comes_byte_by_byte_is_cut_off() -> None:
    """On a connection that was kept, too: from its first byte on."""

    async def story() -> None:
        async with shore(Supervisor(), client_limits=QUICK) as address:
            line = await Line.dial(address)
            assert (await line.ask("/health"))[0] == 200

            async def drip() -> None:
                for _ in range(1000):
                    line.writer.write(b"GET /"[:1])
                    await asyncio.sleep(0.1)

            dripping = asyncio.create_task(drip())
            assert await line.is_closed()
            dripping.cancel()
            line.hang_up()

    run(story())


def test_an_answer_that_nobody_reads_is_cut_off() -> None:
    """Else it would be held for ever."""

    async def heap(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 2**25)

    async def story() -> None:
        async with serve(heap, ClientLimits(answer_seconds=0.5)) as (address, guests):
            line = await Line.dial(address)
            cast(asyncio.Transport, line.writer.transport).pause_reading()
            line.writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await until(lambda: guests)
            await until(lambda: guests[0].transport is None)
            line.hang_up()

    run(story())


@asynccontextmanager
async def serve(
    handler: Callable[[web.Request], Any], client_limits: ClientLimits = CLIENT_LIMITS
) -> AsyncIterator[tuple[str, list[TimedRequestHandler]]]:
    """An application of one answer to all; who asked."""
    guests: list[TimedRequestHandler] = []

    @web.middleware
    async def note(request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        assert isinstance(request.protocol, TimedRequestHandler)
        guests.append(request.protocol)
        return cast(web.StreamResponse, await handler(request))

    app = web.Application(middlewares=[note])
    app.router.add_route("*", "/", handler)
    connections = Connections(Limits(), Counter())
    async with serving(app, bind("127.0.0.1", 0), connections, None, client_limits) as address:
        yield address, guests


def test_a_body_is_never_unpacked() -> None:
    """58 KB of gzip could be 60 MB, in one go."""
    bomb = gzip.compress(bytes(60_000_000))

    async def size(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    async def story() -> None:
        async with serve(size) as (address, _):
            line = await Line.dial(address)
            assert (await line.ask("/", "Content-Encoding: gzip", body=bomb, method="POST"))[0] == 200
            assert int(line.last) == len(bomb)
            line.hang_up()

    run(story())


@pytest.mark.parametrize("coding", ["Content-Length: 100000000", "Transfer-Encoding: chunked"])
def test_a_body_that_nobody_reads_is_not_waited_for(coding: str) -> None:
    """What was asked is answered, then the connection is closed, whatever else would have come."""

    async def story() -> None:
        async with shore(Supervisor()) as address:
            line = await Line.dial(address)
            line.writer.write(f"POST /health HTTP/1.1\r\nHost: localhost\r\n{coding}\r\n\r\n1\r\nx\r\n".encode())
            assert (await line.answer())[0] == 405
            assert await line.is_closed()
            line.hang_up()

    run(story())


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_tls_that_is_never_begun_is_not_waited_for(
    loop: Callable[[], asyncio.AbstractEventLoop], tmp_path: Path
) -> None:
    """And who has too many connections is closed before it; a neighbour is answered."""
    tls, theirs = certificate(tmp_path)

    async def story() -> None:
        limits = Limits(address_connections=2)
        async with shore(Supervisor(), limits=limits, addresses=STRICT, tls=tls, client_limits=QUICK) as address:
            silent = [await Line.dial(address) for _ in range(3)]
            assert await silent[2].is_closed()
            host, port = address.split(":")
            neighbour = Line(*await asyncio.open_connection(host, int(port), ssl=theirs))
            assert (await neighbour.ask("/health"))[0] == 200
            for line in silent:
                assert await line.is_closed()
            hang_up(neighbour, *silent)

    run(story(), loop)


@pytest.mark.parametrize("secure", [False, True])
def test_silent_connections_of_many_addresses_keep_no_caller_out(secure: bool, tmp_path: Path) -> None:
    """The oldest of them is closed for each new one, also in the middle of its TLS; who asks is answered."""

    async def story() -> None:
        (tls, theirs), counters = certificate(tmp_path) if secure else (None, None), Counters()
        patient = ClientLimits(request_seconds=600)
        async with shore(
            Supervisor(), addresses=STRICT, tls=tls, client_limits=patient, counters=counters, most=12
        ) as address:
            host, port = address.rsplit(":", 1)
            silent = [await Line.dial(address, f"127.0.0.{number}") for number in range(2, 8)]
            crowd = [await Line.dial(address, f"127.0.1.{number}") for number in range(1, 4)]
            neighbour = Line(*await asyncio.open_connection(host, int(port), ssl=theirs, local_addr=("127.0.2.1", 0)))
            assert (await neighbour.ask("/health"))[0] == 200
            assert counters.address_refused["half_open"] == 4
            for line in silent[:4]:
                assert await line.is_closed()
            hang_up(neighbour, *silent, *crowd)

    run(story())


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's, of its own making, and a client's that takes it."""
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    ours, theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    ours.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    theirs.check_hostname, theirs.verify_mode = False, ssl.CERT_NONE
    return ours, theirs


def test_the_last_handles_are_for_calls_that_are_let_in() -> None:
    """What comes while so many are open is closed at once."""

    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    async def story() -> None:
        refused = Counter[str]()
        app = web.Application()
        app.router.add_get("/", hello)
        connections = Connections(Limits(), refused, most=3)
        async with serving(app, bind("127.0.0.1", 0), connections) as address:
            lines = [await Line.dial(address, "127.0.0.1") for _ in range(4)]
            assert await lines[3].is_closed()
            assert refused == {"handles": 1}
            assert (await lines[0].ask("/"))[0] == 200
            hang_up(*lines)

    run(story())


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_no_handle_left_is_one_line_and_no_end(
    loop: Callable[[], asyncio.AbstractEventLoop], caplog: pytest.LogCaptureFixture
) -> None:
    """Once there is one again, who waited is served."""

    async def story() -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        async with shore(Supervisor()) as address:
            line = socket.socket()
            host, port = address.split(":")
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (line.fileno() + 1, hard))
                line.setblocking(False)
                await asyncio.get_running_loop().sock_connect(line, (host, int(port)))
                await until(lambda: "no connection can be accepted" in caplog.text)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            dialled = Line(*await asyncio.open_connection(sock=line))
            assert (await dialled.ask("/health"))[0] == 200
            dialled.hang_up()

    with caplog.at_level(logging.ERROR):
        run(story(), loop)
    assert caplog.text.count("no connection can be accepted") == 1
    assert "ulimit -n" in caplog.text


@pytest.mark.parametrize("loop", [None, uvloop.new_event_loop])
def test_what_a_call_sends_passes_no_clock(
    loop: Callable[[], asyncio.AbstractEventLoop] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames go to aiohttp as they did: 50 a second of every caller."""
    seen: list[int] = []
    real = TimedRequestHandler.data_received

    def note(self: TimedRequestHandler, data: bytes) -> None:
        seen.append(len(data))
        real(self, data)

    monkeypatch.setattr(TimedRequestHandler, "data_received", note)

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            before = len(seen)
            for _ in range(50):
                await phone.say(type="ping")
                await phone.hear("pong")
            assert before >= 1
            assert len(seen) == before

    run(story(), loop)


@pytest.mark.parametrize("path", ["/health", "/nowhere", "/api/astrologers"])
def test_what_is_answered_before_it_is_counted_ends_the_connection(path: str) -> None:
    """An expectation that nobody meets is answered by aiohttp alone: thousands a second would be free."""

    async def story() -> None:
        async with shore(Supervisor(), limits=LIMITS, addresses=STRICT) as address:
            line = await Line.dial(address)
            status, headers = await line.ask(path, "Expect: the-best")
            assert (status, headers["connection"]) == (417, "close")
            assert await line.is_closed()
            line.hang_up()

    run(story())


@pytest.mark.parametrize("value", [b"\xff", b"a\xed\xa0\x80", b'"\xfe'])
@pytest.mark.parametrize(
    "name", [b"Expect", b"Upgrade", b"Connection", b"Sec-WebSocket-Version", b"Sec-WebSocket-Protocol"]
)
def test_a_header_that_is_no_text_makes_no_traceback(
    name: bytes, value: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """An answer cannot repeat it; whoever sent it is told so, briefly."""
    fields = {
        b"Connection": b"Upgrade", b"Upgrade": b"websocket", b"Sec-WebSocket-Version": b"13",
        b"Sec-WebSocket-Key": b"dGhlIHNhbXBsZSBub25jZQ==", b"Host": b"localhost", name: value,
    }  # fmt: skip

    async def story() -> None:
        async with shore(Supervisor()) as address:
            line = await Line.dial(address)
            line.writer.write(b"GET /ws/u HTTP/1.1\r\n%b\r\n" % b"".join(b"%b: %b\r\n" % one for one in fields.items()))
            assert (await line.answer())[0] in (101, 400)
            line.hang_up()

    run(story())
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_crash_of_ours_is_told_in_the_log_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    """Text that cannot be written is our fault where the request was text."""

    async def crash(request: web.Request) -> web.Response:
        return web.Response(text="\ud800")

    async def story() -> None:
        async with serve(crash) as (address, _):
            line = await Line.dial(address)
            assert (await line.ask("/"))[0] == 500
            line.hang_up()

    run(story())
    assert any(record.exc_info for record in caplog.records)


def test_a_call_that_is_gone_before_it_is_answered_is_no_crash(caplog: pytest.LogCaptureFixture) -> None:
    """A reset behind the request: each was a traceback."""

    async def story() -> None:
        async with shore(Supervisor()) as address:
            for number in range(40):
                line = await Line.dial(address)
                plug = line.writer.get_extra_info("socket")
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                begin = (
                    f"GET /ws/u{number} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                )
                line.writer.write(f"{begin}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n".encode())
                line.hang_up()
            neighbour = await Line.dial(address)
            assert (await neighbour.ask("/health"))[0] == 200
            neighbour.hang_up()

    run(story(), uvloop.new_event_loop)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


class Counting:
    """In place of a session: it counts what each connection says, and is never behind."""

    backlog = 0

    def __init__(self, heard: Counter[str], caller: Connected) -> None:
        self._heard, self._caller = heard, caller

    def tell(self, message: From | Detached, /) -> None:
        """Answer each ping."""
        if isinstance(message, From):
            self._heard[self._caller.identity.user] += 1
            self._caller.outbox.tell(Pong())


@pytest.mark.parametrize("said", [head(15) + b'{"type":"ping"}', head(2, BINARY) + bytes(2), head(0, PING)])
def test_the_calls_of_one_address_are_read_no_faster_than_it_may_speak(said: bytes) -> None:
    """Many calls that each stay below their own limit: they wait in the network, and a neighbour does not."""
    heard = Counter[str]()

    async def story() -> None:
        limits = Limits(address_messages=1)
        porter = Porter(lambda caller: cast(Any, Counting(heard, caller)))
        async with shore(porter, limits=limits, addresses=STRICT) as address:
            strangers = [await Line.dial(address) for _ in range(3)]
            for number, line in enumerate(strangers):
                assert await line.call(f"stranger-{number}") == 101
                line.writer.write(head(15) + b'{"type":"ping"}' + said * 150)
            await until(lambda: len(heard) == 3)
            neighbour = await Raw.dial(f"ws://{address}", "neighbour")
            for _ in range(300):
                neighbour.say(type="ping")
                await neighbour.hear("pong")
            assert heard.total() - 300 <= 3 * READ_FRAMES
            neighbour.vanish()
            hang_up(*strangers)

    run(story())


@pytest.mark.parametrize("size", [8000, 70_000])
def test_a_message_in_a_binary_frame_counts_as_in_a_text_frame(size: int) -> None:
    """Else an address could have ten times as much JSON checked as it may send."""
    heard = Counter[str]()

    async def story() -> None:
        porter = Porter(lambda caller: cast(Any, Counting(heard, caller)))
        async with shore(porter, limits=Limits(address_messages=1), addresses=STRICT) as address:
            stranger = await Line.dial(address)
            assert await stranger.call("stranger") == 101
            said = b'{"type":"ping","x":"%b"}' % (b"x" * size)
            stranger.writer.write((head(len(said), BINARY) + said) * 30)
            await until(lambda: heard.total() > 0)
            neighbour = await Raw.dial(f"ws://{address}", "neighbour")
            for _ in range(300):
                neighbour.say(type="ping")
                await neighbour.hear("pong")
            assert heard["stranger"] <= 4
            neighbour.vanish()
            hang_up(stranger)

    run(story())


def test_a_connection_brings_little_in_one_round_of_the_loop() -> None:
    """Sixty that sent large frames held the loop for seconds: each was read until nothing more had come."""

    async def story() -> None:
        seen = list[int]()

        async def look(request: web.Request) -> web.Response:
            assert request.transport
            while await request.content.readany():
                pass
            plug = request.transport.get_extra_info("socket")
            seen.append(plug.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF))
            return web.Response()

        async with serve(look) as (address, _):
            line = await Line.dial(address)
            assert (await line.ask("/", body=bytes(2**24), method="POST"))[0] == 200
            line.hang_up()
        assert 0 < seen[0] < 250_000  # else the kernel lets it grow with what comes

    run(story())
