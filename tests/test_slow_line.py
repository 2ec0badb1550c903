"""Whole replies over a line that is slow, or never carries one to its end: through the real server."""

import asyncio
import random
import struct
from typing import Any

import orjson
import pytest

from audio import wav
from bench.fragile_line import FragileLine, fragile_line
from bench.slow_line import slow_line
from phone.lasting import LastingPhone
from tests.kit.exchange import Exchange, exchange
from tests.kit.four import TINA
from tests.kit.raw import CLOSE, PING, PONG, TEXT, Raw
from tests.kit.story import run, until
from web.client_limits import ClientLimits

LONG = "I say more than fits. " * 25
MINUTE = "I say more than fits. " * 62  # a frame of 4 MB


async def talked(url: str, **query: str) -> tuple[Raw, dict[str, Any]]:
    """A call that can be resumed, whose greeting was received; and how."""
    search = "&".join(f"{name}={value}" for name, value in query.items())
    raw = await Raw.dial(url, query=f"?astrologer_id={TINA}&mode=clip&resumable=true{search}")
    offer = (await raw.hear("config_ack"))["resume"]
    await raw.hear("audio_response")
    return raw, {"token": offer["token"], "attach": offer["attach"]}


def test_a_ping_is_answered_in_the_middle_of_a_whole_reply() -> None:
    """Who asks whether the server is there does not wait until 1.6 MB have come; nor does the server who asks them."""

    async def story() -> None:
        limits = ClientLimits(unsent=4096, ping_seconds=0.05, look_seconds=0.05)
        async with exchange(client_limits=limits) as line:
            raw, _ = await talked(line.url)
            line.mind.script = LONG
            raw.say(type="text", text="tell me")
            await raw.hear("text_response")
            parts = [await raw._part()]
            assert parts[0][0] == TEXT
            raw.send(b"are you there", PING)
            while parts[-1][0] != 0x80:
                parts.append(await raw._part())
            kinds = [first & 15 for first, _ in parts]
            assert PONG in kinds
            assert PING in kinds
            whole = b"".join(data for first, data in parts if not first & 8)
            assert orjson.loads(whole)["type"] == "audio_response"
            raw.vanish()

    run(story())


def test_who_resumes_is_not_sent_the_rest_of_a_whole_reply_on_the_old_line() -> None:
    """That is closed with 4410 in the middle of it; the new one brings all of it."""

    async def story() -> None:
        async with exchange(client_limits=ClientLimits(unsent=4096)) as line:
            raw, ticket = await talked(line.url)
            line.mind.script = LONG
            raw.say(type="text", text="tell me")
            await raw.hear("text_response")
            assert (await raw._part())[0] == TEXT
            received = raw.received
            again = await Raw.dial(line.url, query="?resume=true")
            again.say(type="resume", **ticket, received=received)
            assert (await again.hear("resumed"))["attach"] == 1
            while (part := await raw._part())[0] & 15 != CLOSE:
                assert part[0] == 0
            assert struct.unpack(">H", part[1][:2]) == (4410,)
            assert await again.hear("audio_response")
            for one in (raw, again):
                one.vanish()

    run(story())


def test_a_whole_reply_that_never_gets_through_is_given_up_with_its_words() -> None:
    """It is written three times; then the caller gets the words, and a new call on the same connection."""

    async def story() -> None:
        async with exchange(client_limits=ClientLimits(unsent=4096)) as line:
            raw, ticket = await talked(line.url)
            line.mind.script = LONG
            raw.say(type="text", text="tell me")
            words = (await raw.hear("text_response"))["text"]
            received = raw.received
            for attach in (1, 2, 3):
                assert (await raw._part())[0] == TEXT
                raw.vanish()
                raw = await Raw.dial(line.url, query="?resume=true")
                raw.say(type="resume", **ticket, received=received)
                told = orjson.loads((await raw.frame())[1])
                if attach < 3:
                    assert (told["type"], told["attach"]) == ("resumed", attach)
                    ticket["attach"], received = attach, 0
            assert (told["code"], told["text"]) == ("too_much", words)
            raw.say(type="config", astrologer_id=TINA)
            await raw.hear("config_ack")
            assert line.counters.not_resumed == {"too_much": 1}
            await until(lambda: line.counters.ended == {4409: 1})
            raw.vanish()

    run(story())


def test_who_reads_too_slowly_and_resumes_is_told_the_words() -> None:
    """Closed with 4413; what waited is gone, and a new call begins on the connection that asked for the old one."""

    async def story() -> None:
        async with exchange(client_limits=ClientLimits(text=400_000)) as line:
            raw, ticket = await talked(line.url)
            received = raw.received
            line.mind.script = LONG
            raw.say(type="text", text="tell me")
            while (frame := await raw.frame())[0] != CLOSE:
                received += 1
            assert struct.unpack(">H", frame[1][:2]) == (4413,)
            raw.vanish()
            raw = await Raw.dial(line.url, query="?resume=true")
            raw.say(type="resume", **ticket, received=received)
            told = orjson.loads((await raw.frame())[1])
            assert (told["type"], told["code"]) == ("not_resumed", "too_much")
            assert told["text"].count("I say more than fits.") == 25
            raw.say(type="config", astrologer_id=TINA)
            await raw.hear("config_ack")
            raw.vanish()

    run(story())


async def lose(line: Exchange, fragile: FragileLine, losses: int) -> None:
    """The line is lost so often, each time when a tenth of the reply has come."""
    for times in range(losses):
        sent = line.counters.sent
        await until(lambda: line.counters.sent > sent + 400_000)  # noqa: B023
        fragile.cut(0.1)
        await until(lambda: line.counters.resumed == times + 1)  # noqa: B023


@pytest.mark.thorough
@pytest.mark.parametrize("losses", [0, 2])
def test_a_minute_of_speech_gets_through_a_slow_line(losses: int) -> None:
    """600 kbit/s, which take a minute for 4 MB; also where the line is lost in the middle of it, twice.

    A pong that waited behind the reply would come after the client has given the line up.
    """
    keepalive = {"ping_interval": 2.0, "ping_timeout": 15.0, "close_timeout": 0.5}

    async def story() -> None:
        async with (
            exchange() as line,
            slow_line(int(line.url.rpartition(":")[2])) as port,
            fragile_line(port) as fragile,
            LastingPhone(fragile.url, "user-1", {"mode": "clip"}, keepalive=keepalive) as phone,
        ):
            await phone.choose(TINA)
            await phone.answer()
            line.mind.script = MINUTE
            await phone.say(type="text", text="tell me")
            await phone.hear("text_response")
            losing = asyncio.create_task(lose(line, fragile, losses))
            while (answer := await phone.next())["type"] != "audio_response":
                pass
            assert len(answer["audio"]) > 3_900_000
            await losing
            assert phone.resumed == losses
            await phone.say(type="end")
            assert (await phone.closed()).code == 1000

    run(story())


@pytest.mark.thorough
def test_a_clip_gets_through_a_line_on_which_it_takes_longer_than_a_ping_may() -> None:
    """The client does not take its line for lost while it sends, and begin the clip from the start again and again."""

    async def story() -> None:
        async with exchange() as line, slow_line(int(line.url.rpartition(":")[2]), 800_000) as port:
            query = {"astrologer_id": TINA, "mode": "clip"}
            async with LastingPhone(f"ws://127.0.0.1:{port}", "user-1", query) as phone:
                await phone.hear("audio_response")
                phone.socket.ping_interval, phone.socket.ping_timeout = 0.2, 0.3
                phone.keepalive["ping_timeout"] = 0.3
                await phone.send_clip(wav(random.Random(1).randbytes(6 * 48_000)))
                await phone.hear("text_response")
                assert phone.resumed == 0

    run(story())
