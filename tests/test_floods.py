"""Clients who send far too much, or half of something, at the whole server: they harm nobody, and leave nothing."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import orjson
import pytest

from actors.call.snapshot import SessionSnapshot
from actors.runtime import Stop
from actors.services import Limits
from phone import Phone
from tests.kit.exchange import Exchange, exchange
from tests.kit.four import TINA
from tests.kit.insides import shown
from tests.kit.raw import BINARY, PING, PONG, TEXT, Raw, head
from tests.kit.story import run
from tests.web.test_signs_of_life import QUICK
from web.client_limits import CLIENT_LIMITS

QUERY = f"?astrologer_id={TINA}&mode=stream"
SOUND = head(960, BINARY) + bytes(960)
ASKED = b'{"type":"ping"}'
PINGED = head(len(ASKED)) + ASKED


async def streaming(line: Exchange, user: str = "user-1") -> Raw:
    """A streamed call that has begun."""
    raw = await Raw.dial(line.url, user, QUERY)
    await raw.hear("config_ack")
    return raw


def heard_ms(line: Exchange, user: str = "user-1") -> int:
    """How much sound of theirs was heard."""
    return shown(line.session(user), SessionSnapshot).now.heard_ms


async def answered(other: Phone, times: int = 20) -> None:
    """A neighbour says something, and hears something, so many times."""
    for _ in range(times):
        await other.say(type="ping")
        await other.hear("pong")


def test_five_seconds_that_a_network_held_back_are_heard_whole() -> None:
    """They come at once: nothing is lost, no error is told, and the call goes on."""

    async def story() -> None:
        async with exchange() as line:
            raw = await streaming(line)
            raw.writer.write(SOUND * 250 + PINGED)
            await raw.hear("pong")
            assert heard_ms(line) == 5000
            raw.writer.write(SOUND + PINGED)
            await raw.hear("pong")
            assert (heard_ms(line), raw.errors()) == (5020, [])
            raw.vanish()

    run(story())


def test_a_flood_that_stops_leaves_a_call_that_can_be_used() -> None:
    """Twenty seconds of sound and a thousand messages, as fast as they are taken: then a text is answered."""

    async def story() -> None:
        async with exchange() as line, line.phone("neighbour") as other:
            raw = await streaming(line)
            raw.writer.write((SOUND + PINGED) * 1000)
            await answered(other)
            for _ in range(1000):
                await raw.hear("pong")
            assert heard_ms(line) == 20_000
            raw.say(type="text", text="Are you there?")
            await raw.hear("response_started")
            assert raw.errors() == []
            raw.vanish()

    run(story())


def test_long_texts_in_a_row_hold_nobody_up() -> None:
    """Twenty of 60 KB, of which each is refused; the last ends the call, and a neighbour is answered meanwhile."""
    text = orjson.dumps({"type": "text", "text": "x" * 60_000})

    async def story() -> None:
        async with exchange(Limits(bad_messages=20)) as line, line.phone("neighbour") as other:
            before = line.left()
            raw = await streaming(line)
            raw.writer.write((head(len(text)) + text) * 25)
            await answered(other)
            assert (await raw.closed())[0] == 4400
            assert set(raw.errors()) > {"too_many_messages"}
            raw.vanish()
            await line.settles_to(before)

    run(story())


def test_pings_between_frames_of_sound_are_answered_in_their_order() -> None:
    """A hundred and fifty, one for each frame: all come back as they were sent, and all the sound is heard."""

    async def story() -> None:
        async with exchange() as line:
            raw, came = await streaming(line), list[int]()
            for number in range(150):
                raw.writer.write(SOUND + head(2, PING) + number.to_bytes(2))
            while len(came) < 150:
                kind, data = await raw.frame()
                came += [int.from_bytes(data)] * (kind == PONG)
            raw.writer.write(PINGED)
            await raw.hear("pong")
            assert (came, heard_ms(line)) == (list(range(150)), 3000)
            raw.vanish()

    run(story())


@pytest.mark.parametrize("how", ["too much", "replaced", "stopped"])
def test_a_flood_in_a_call_that_is_closed_leaves_nothing(how: str) -> None:
    """Whoever ends it, while more comes than is read: no task, no actor, no connection."""
    codes = {"too much": (4400,), "replaced": (4409,), "stopped": (1001,)}

    async def flood(raw: Raw) -> None:
        with suppress(ConnectionError):
            while True:
                raw.writer.write(SOUND * 20 + PINGED * (50 if how == "too much" else 1))
                await raw.writer.drain()

    async def story() -> None:
        async with exchange() as line:
            before = line.left()
            raw = await streaming(line)
            sending = asyncio.create_task(flood(raw))
            await raw.hear("pong")
            again = await streaming(line) if how == "replaced" else None
            if how == "stopped":
                line.supervisor.tell(Stop())
            assert (await raw.closed())[0] in codes[how]
            raw.vanish()
            await sending
            if again:
                again.writer.write(PINGED)
                await again.hear("pong")
                again.vanish()
            if how != "stopped":
                await line.settles_to(before)

    run(story())


def test_who_floods_and_reads_nothing_is_let_go() -> None:
    """Of sound and of messages, each of which is answered: the call ends, and nothing is left."""

    async def story() -> None:
        limits = replace(CLIENT_LIMITS, unsent=4096, write_seconds=0.5, slowest_line=10**9)
        async with exchange(client_limits=limits) as line, line.phone("neighbour") as other:
            before = line.left()
            raw = await streaming(line)
            with suppress(ConnectionError):
                async with asyncio.timeout(60):
                    while True:
                        raw.writer.write(SOUND + PINGED)
                        await raw.writer.drain()
            await answered(other)
            raw.vanish()
            await line.settles_to(before)

    run(story())


@pytest.mark.parametrize("half", [SOUND[:1], SOUND[:500], head(30_000, TEXT) + b'{"type":', head(6 * 2**20)])
def test_half_a_frame_is_waited_for_as_one_who_is_silent(half: bytes) -> None:
    """The rest of it may come; who sends nothing more is given up as somebody who is gone, and nothing is left."""

    async def story() -> None:
        async with exchange(client_limits=QUICK) as line, line.phone("neighbour") as other:
            before = line.left()
            raw = await streaming(line)
            raw.writer.write(SOUND[:500])
            await answered(other)
            raw.writer.write(SOUND[500:] + PINGED)
            await raw.hear("pong")
            assert heard_ms(line) == 20
            raw.writer.write(half)
            assert (await raw.closed())[0] == 1006
            raw.vanish()
            await answered(other, 1)
            await line.settles_to(before)

    run(story())
