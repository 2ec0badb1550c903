"""Every way in which a call can end, through the real server: what is counted, and what the log says."""

import asyncio
import logging
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, cast

import pytest
import uvloop

from actors.messages.admission import From
from actors.runtime import Stop
from actors.services import Limits
from phone import CallEnded, CallFailed, Phone
from tests.kit.deaf import deafen
from tests.kit.exchange import Exchange, exchange
from tests.kit.four import TINA
from tests.kit.raw import BINARY, CLOSE, Raw
from tests.kit.story import WITHIN, run, until
from upstream.link import Upstream
from web import reassembly
from web.client_limits import CLIENT_LIMITS, ClientLimits

Way = Callable[[Exchange, Phone], Awaitable[object]]

MASKED = bytes(4)
NO_FRAME = bytes([0x83, 0x80]) + MASKED  # an opcode that is reserved
NO_CODE = bytes([0x88, 0x80]) + MASKED
NO_TEXT = bytes([0x88, 0x83]) + MASKED + bytes([0x03, 0xE8, 0xFF])  # 1000, and a reason that is no UTF-8


def same(real: Upstream) -> Upstream:
    """The model answers."""
    return real


def without_a_key(real: Upstream) -> Upstream:
    """The model does not serve us."""
    return Upstream(real.url, real.model, "wrong")


def says(**message: Any) -> Way:
    """The caller says this."""
    return lambda line, phone: phone.say(**message)


def closes(code: int) -> Way:
    """The caller's client closes with this code."""
    return lambda line, phone: phone.socket.close(code, "goodbye")


def writes(data: bytes) -> Way:
    """The caller's client puts these bytes on the wire."""

    async def write(line: Exchange, phone: Phone) -> None:
        phone.socket.transport.write(data)

    return write


async def is_cut(line: Exchange, phone: Phone) -> None:
    """The caller's network is gone."""
    phone.socket.transport.abort()


async def says_too_much(line: Exchange, phone: Phone) -> None:
    """A frame beyond what one may hold, as it begins: the server need not read it all."""
    size = reassembly.MAX_FRAME + 1
    phone.socket.transport.write(bytes([0x81, 0xFF]) + size.to_bytes(8) + MASKED + b"x")


async def floods(line: Exchange, phone: Phone) -> None:
    """More messages than may come."""
    for _ in range(13):
        await phone.say(type="ping")


async def is_told_a_fault(line: Exchange, phone: Phone) -> None:
    """What the session is told makes it crash."""
    line.session().tell(cast(From, object()))  # nobody handles this


async def hears(line: Exchange, phone: Phone) -> None:
    """A whole reply."""
    await phone.choose(TINA)


async def hears_a_stream(line: Exchange, phone: Phone) -> None:
    """As it is spoken."""
    await phone.choose(TINA, mode="stream")


async def drains(line: Exchange, phone: Phone) -> None:
    """The server is told to stop, with a caller on the line."""
    line.supervisor.tell(Stop())


async def waits(line: Exchange, phone: Phone) -> None:
    """Nothing is said any more."""


WAYS: dict[str, tuple[Way, int, str]] = {
    "end": (says(type="end"), 1000, "the call has ended"),
    "the longest call": (waits, 1000, "longest time"),
    "their 1000": (closes(1000), 1000, "closed the connection with 1000"),
    "their 1001": (closes(1001), 1001, "closed the connection with 1001"),
    "their 1011": (closes(1011), 1011, "closed the connection with 1011"),
    "their 4500": (closes(4500), 1000, "closed the connection with 4500"),
    "a close without a code": (writes(NO_CODE), 1005, "closed the connection with 1005"),
    "no close": (is_cut, 1006, "the connection is gone"),
    "no frame": (writes(NO_FRAME), 1002, "opcode"),
    "no text": (writes(NO_TEXT), 1007, "UTF-8"),
    "too big": (says_too_much, 1009, "limit"),
    "at shutdown": (drains, 1001, "the server is restarting"),
    "a flood": (floods, 4400, "too many messages"),
    "idle": (waits, 4408, "nothing was said"),
    "too slow for a stream": (hears_a_stream, 4413, "too slowly"),
    "too slow for whole replies": (hears, 4413, "too slowly"),
    "a crash": (is_told_a_fault, 4500, "it was stopped"),
    "no upstream": (hears, 4503, "the model"),
}
LIMITS = {
    "the longest call": Limits(call_seconds=0.05),
    "idle": Limits(idle_seconds=0.05),
    "a flood": Limits(messages=1),
}
LITTLE = {"too slow for a stream": ClientLimits(sound=1000), "too slow for whole replies": ClientLimits(text=1000)}


@pytest.mark.parametrize("way", WAYS)
def test_how_a_call_ended_is_counted_and_logged(way: str, caplog: pytest.LogCaptureFixture) -> None:
    """By the code of whoever closed it, once."""
    do, code, why = WAYS[way]
    caplog.set_level(logging.INFO, "actors.session")
    upstream, client_limits = without_a_key if way == "no upstream" else same, LITTLE.get(way, CLIENT_LIMITS)

    async def story() -> None:
        async with exchange(LIMITS.get(way), upstream=upstream, client_limits=client_limits) as line:
            async with line.phone() as phone:
                if way not in LIMITS:
                    await phone.say(type="ping")
                    await phone.hear("pong")
                with suppress(CallFailed, CallEnded):
                    await do(line, phone)
                await until(lambda: line.counters.ended, lambda: "the call goes on")
                if code >= 4000:
                    assert (await phone.closed()).code == code
            assert (line.counters.ended, line.counters.refused) == ({code: 1}, {})

    run(story())
    (ended,) = (line for line in caplog.messages if line.startswith("ended session="))
    assert f" code={code} why=" in ended
    assert why in ended


def test_who_sends_too_much_is_told_how_much_one_may() -> None:
    """In the close itself: nothing else reaches them."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await says_too_much(line, phone)
            ended = await phone.closed()
            assert (ended.code, ended.reason) == (1009, "a frame may hold 8 MiB: send shorter clips")

    run(story())


def test_who_is_replaced_is_counted_once_and_who_replaced_them_too() -> None:
    """The first call ends with 4409, whatever becomes of the second."""

    async def story() -> None:
        async with exchange() as line, line.phone() as first, line.phone() as second:
            assert (await first.closed()).code == 4409
            await second.say(type="end")
            await second.closed()
            await until(lambda: line.counters.ended.total() == 2, lambda: f"{line.counters.ended}")
            assert line.counters.ended == {4409: 1, 1000: 1}

    run(story())


def test_who_is_still_speaking_is_told_the_code() -> None:
    """The socket is open until they have closed, too: what came to a closed one would undo what they were told."""
    patient = ClientLimits(quiet_seconds=WITHIN, linger_seconds=WITHIN)

    async def story() -> None:
        async with exchange(client_limits=patient) as line:
            first = await Raw.dial(line.url, query="?mode=stream")
            first.say(type="ping")
            async with line.phone():
                while (frame := await first.frame())[0] != CLOSE:
                    pass
                assert struct.unpack(">H", frame[1][:2]) == (4409,)
                ends = asyncio.ensure_future(first.reader.read(1))
                first.send(bytes(960), BINARY)
                assert not (await asyncio.wait([ends], timeout=0.3))[0]
                first.send(frame[1], CLOSE)
                assert await ends == b""
                first.writer.close()

    run(story())


@pytest.mark.parametrize("loop", [None, uvloop.new_event_loop])
def test_who_takes_nothing_and_is_cut_off_was_too_slow(loop: Callable[[], asyncio.AbstractEventLoop] | None) -> None:
    """No code can be told to them; they are counted as whoever else reads too slowly."""
    little = ClientLimits(unsent=4096, write_seconds=3.0, slowest_line=10**9)  # a greeting takes less

    async def story() -> None:
        async with exchange(client_limits=little) as line, line.phone() as phone:
            await deafen(line, phone)
            await until(lambda: line.counters.ended == {4413: 1}, lambda: f"{line.counters.ended}")
            phone.socket.transport.resume_reading()
            assert (await phone.closed()).code == 1006

    run(story(), loop)


def test_who_is_turned_away_is_counted_apart() -> None:
    """4429 ends no call: none had begun."""

    async def story() -> None:
        async with exchange(Limits(sessions=1)) as line, line.phone("one") as one, line.phone("two") as two:
            assert (await two.closed()).code == 4429
            await one.say(type="end")
            await one.closed()
            await until(lambda: line.counters.ended, lambda: "the call goes on")
            assert (line.counters.ended, line.counters.refused) == ({1000: 1}, {4429: 1})

    run(story())
