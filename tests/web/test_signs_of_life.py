"""Who is gone is found out, and nobody else: signs of life, pings, and what is done without them."""

import asyncio
from collections.abc import AsyncIterator, Hashable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from phone import Phone
from tests.kit.exchange import Exchange, exchange
from tests.kit.four import TINA
from tests.kit.raw import BINARY, CLOSE, PING, PONG, Raw
from tests.kit.story import WITHIN, run, until
from web.client_limits import CLIENT_LIMITS
from web.signs_of_life import Life, Move

QUICK = replace(
    CLIENT_LIMITS,
    look_seconds=0.05,
    stream_seconds=0.25,
    quiet_ping_seconds=0.6,
    ping_seconds=1.5,
    lost_seconds=1.25,
    gone_seconds=3.0,
)
"""A twentieth of what there is."""


def lived(frames: Mapping[int, Hashable], until: int, **sent: dict[int, tuple[int, int]]) -> list[tuple[int, Move]]:
    """What is done in so many seconds, a look in each: `frames` came then; (waiting, outstanding) bytes since then."""
    life, moves, came, out = Life(CLIENT_LIMITS, 0.0), list[tuple[int, Move]](), None, (0, 0)
    for second in range(1, until + 1):
        came = frames.get(second, came)
        out = sent.get("sent", {}).get(second, out)
        moves += [(second, move) for move in life.look(float(second), came, *out)]
        if moves[-1:] == [(second, Move.GONE)]:
            break
    return moves


def at(moves: list[tuple[int, Move]], move: Move) -> list[int]:
    """When this was done."""
    return [second for second, done in moves if done is move]


def test_nothing_at_all() -> None:
    """A ping after 12 s and again, nobody is seen any more at 25, and the end at 60."""
    moves = lived({}, 100)
    assert at(moves, Move.PING) == [12, 24, 36, 48]
    assert at(moves, Move.LOST) == [25]
    assert at(moves, Move.GONE) == [60]


def test_who_answers_pings_is_there() -> None:
    """A pong is a frame; between two pings are 12 s."""
    moves = lived({second: second for second in range(13, 200, 13)}, 190)
    assert moves == [(second, Move.PING) for second in range(12, 190, 13)]


def test_who_sends_frames_and_answers_no_ping_is_there() -> None:
    """They are asked all the same, so that a proxy sees something."""
    moves = lived({second: second for second in range(200)}, 190)
    assert moves == [(second, Move.PING) for second in range(30, 190, 30)]


def test_a_stream_that_stops_is_asked_at_once() -> None:
    """After 5 s, once; then as everybody."""
    moves = lived({second: second for second in range(11)}, 60)
    assert at(moves, Move.PING)[:3] == [15, 27, 39]
    assert at(moves, Move.LOST) == [35]


def test_a_muted_stream_that_answers_is_there() -> None:
    """Its pongs are no stream."""
    pongs = {second: second for second in (16, 28, 40, 52, 64, 76, 88)}
    moves = lived({second: second for second in range(11)} | pongs, 95)
    assert {move for _, move in moves} == {Move.PING}


def test_who_comes_back_is_told_of() -> None:
    """At the first frame."""
    moves = lived({40: 1}, 70)
    assert at(moves, Move.LOST) == [25, 65]
    assert at(moves, Move.BACK) == [40]


def test_a_reply_that_takes_a_minute_to_send_is_a_sign_of_life() -> None:
    """As long as bytes of it are acknowledged, and more wait here."""
    size = 4_000_000
    sent = {second: (size - second * 75_000, size - second * 75_000 + 64_000) for second in range(1, 53)}
    assert at(lived({}, 52, sent=sent), Move.LOST) == []
    stuck = dict.fromkeys(range(10, 80), (3_000_000, 3_064_000))
    moves = lived({}, 100, sent=sent | stuck)
    assert at(moves, Move.LOST) == [10 + 25]
    assert at(moves, Move.GONE) == [10 + 60]


def test_what_a_proxy_has_taken_is_no_sign_of_life() -> None:
    """A stream of sound goes into its buffers: nothing waits here, so nothing is known of the phone."""
    sent = {second: (0, second % 2 * 5_000) for second in range(100)}
    assert at(lived({}, 60, sent=sent), Move.LOST) == [25]


# Over real sockets.


class Proxy:
    """A proxy in front of the server. Once it is `silent` it passes nothing on, and keeps its sockets open."""

    def __init__(self) -> None:
        self.silent = False
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, to: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass a connection on, both ways."""
        host, port = to.split(":")
        there, over = await asyncio.open_connection(host, int(port))
        self.writers += [writer, over]
        await asyncio.gather(self._pass(reader, over), self._pass(there, writer), return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if not self.silent:
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def behind_a_proxy(line: Exchange) -> AsyncIterator[tuple[Proxy, str]]:
    """The proxy, and the address of the server behind it."""
    proxy = Proxy()
    to = line.url.removeprefix("ws://")
    server = await asyncio.start_server(lambda *pair: proxy.serve(to, *pair), "127.0.0.1", 0)
    try:
        yield proxy, f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in proxy.writers:
            writer.close()


@pytest.mark.thorough
def test_a_line_that_died_behind_a_proxy_is_not_billed(caplog: pytest.LogCaptureFixture) -> None:
    """The proxy acknowledges all we send: the meter stops at the last sign, and the call ends."""

    async def story() -> tuple[float, float]:
        now = asyncio.get_running_loop().time
        async with exchange(client_limits=QUICK) as line, behind_a_proxy(line) as (proxy, url):
            async with Phone(url, "user-1") as phone:
                asked = now()
                await phone.choose(TINA, mode="stream")
                began = now()
                await phone.hear("sound")
                await phone.speak(bytes(48_000))
                await phone.say(type="ping")
                await phone.hear("pong")
                proxy.silent = True
                over = now()
                await until(lambda: line.counters.ended == {1006: 1}, lambda: f"{line.counters.ended}")
            return over - began, over - asked  # it is billed from a moment between both

    with caplog.at_level("INFO", "actors.session"):
        least, most = run(story())
    (ended,) = [message for message in caplog.messages if message.startswith("ended")]
    seconds = int(ended.partition(" personas=")[2].partition(" ")[0].rpartition(":")[2])
    assert least - 2 < seconds <= most, ended
    assert "code=1006 why='nobody was there for 3 s'" in ended


@asynccontextmanager
async def calling(query: str = "") -> AsyncIterator[tuple[Exchange, Raw]]:
    """A server, and a client that does nothing by itself."""
    async with exchange(client_limits=QUICK) as line, asyncio.timeout(WITHIN):
        raw = await Raw.dial(line.url, query=query)
        try:
            yield line, raw
        finally:
            raw.vanish()


async def pings(raw: Raw, count: int, answered: bool = False) -> None:
    """Read until so many pings have come, and answer them or not."""
    while count:
        kind, data = await raw.frame()
        assert kind != CLOSE, data
        if kind == PING:
            count -= 1
            if answered:
                raw.send(data, PONG)


async def hangs_up(line: Exchange, raw: Raw) -> None:
    """The call goes on, and ends as they want it."""
    assert line.counters.ended == {}
    raw.say(type="end")
    assert (await raw.closed())[0] == 1000


@pytest.mark.thorough
def test_who_only_listens_and_answers_pings_stays() -> None:
    """For longer than anybody may be out of sight."""

    async def story() -> None:
        async with calling() as (line, raw):
            await pings(raw, int(2 * QUICK.gone_seconds / QUICK.quiet_ping_seconds), answered=True)
            await hangs_up(line, raw)

    run(story())


@pytest.mark.thorough
def test_a_client_that_answers_no_ping_but_sends_frames_is_alive() -> None:
    """And is asked meanwhile."""

    async def speak(raw: Raw) -> None:
        until = asyncio.get_running_loop().time() + 1.5 * QUICK.gone_seconds
        while asyncio.get_running_loop().time() < until:
            raw.send(bytes(960), BINARY)
            await asyncio.sleep(0.05)

    async def story() -> None:
        async with calling(f"?mode=stream&astrologer_id={TINA}") as (line, raw):
            speaking = asyncio.create_task(speak(raw))
            await pings(raw, 2)
            await speaking
            await hangs_up(line, raw)

    run(story())


def test_who_is_silent_is_asked_seen_no_more_and_ended() -> None:
    """A client that answers no ping and sends nothing."""

    async def story() -> None:
        async with calling() as (line, raw):
            await pings(raw, 2)
            assert (await raw.closed())[0] == 1006
            await until(lambda: line.counters.ended == {1006: 1}, lambda: f"{line.counters.ended}")

    run(story())
