"""Bytes that wait for callers, over real sockets: what is refused, whom it hits, and that the others are served."""

import struct

import orjson

from actors.admission.waiting import MIB
from actors.services import Limits
from audio import wav
from audio.codec import MAX_CLIP_BYTES
from tests.kit.exchange import Exchange, exchange
from tests.kit.four import TINA
from tests.kit.raw import Raw, clip_message, head
from tests.kit.story import run, until
from web.client_limits import ClientLimits

SOUND = struct.pack("<36000h", *(9000 * (n // 40 % 2) for n in range(36_000)))  # 1.5 s
CLIP = wav(SOUND)
LONG = wav(SOUND * 8)  # 12 s, 576 KB, in a frame of 768 KB


async def on_the_line(line: Exchange, user: str) -> Raw:
    """A caller who was greeted."""
    raw = await Raw.dial(line.url, user, f"?astrologer_id={TINA}")
    await raw.hear("audio_response")
    return raw


async def is_served(raw: Raw) -> None:
    """Whatever was refused, the call goes on."""
    raw.send(clip_message(CLIP))
    await raw.hear("audio_response")


def test_a_frame_that_cannot_be_a_clip_is_refused_by_its_length() -> None:
    """Nothing of it goes to a decoder, and the call goes on; with no more than a clip may have, it does."""

    async def story() -> None:
        async with exchange() as line:
            raw = await on_the_line(line, "user-1")
            raw.send(clip_message(bytes(MAX_CLIP_BYTES * 5 // 4)))
            raw.say(type="ping")
            await raw.hear("pong")
            assert raw.errors() == ["audio_too_big"]
            raw.send(b'{"type":"audio","audio":"' + b"A" * 7 * MIB)
            raw.say(type="ping")
            await raw.hear("pong")
            assert raw.errors() == ["audio_too_big"] * 2
            assert line.pool.busy == line.waiting.bytes == 0
            raw.send(clip_message(bytes(MAX_CLIP_BYTES)))
            assert (await raw.hear("error"))["code"] == "audio_undecodable"
            await is_served(raw)
            raw.send(bytes(8 * MIB + 1))
            assert (await raw.closed())[0] == 1009
            raw.vanish()

    run(story())


def test_what_comes_with_the_handshake_is_read_in_its_order() -> None:
    """Also half of a large frame, and half of a head: no client must wait for our answer before it speaks."""

    async def story() -> None:
        async with exchange() as line:
            for cut in (5, 3, 20, 200_000):
                clip = clip_message(LONG)
                said = head(15) + b'{"type":"ping"}' + head(len(clip)) + clip
                raw = await Raw.dial(line.url, f"user-{cut}", f"?astrologer_id={TINA}", said[: cut + 21])
                raw.writer.write(said[cut + 21 :])
                await raw.hear("pong")
                await raw.hear("audio_response")
                await raw.hear("audio_response")
                assert raw.errors() == []
                raw.vanish()

    run(story())


def test_a_frame_that_does_not_end_counts_while_its_caller_is_there() -> None:
    """Also that of somebody who has not chosen anybody."""

    async def story() -> None:
        async with exchange() as line:
            callers = [await Raw.dial(line.url, f"user-{number}") for number in range(4)]
            for raw in callers:
                raw.writer.write(head(6 * MIB) + bytes(MIB))
            await until(lambda: line.waiting.bytes >= 4 * MIB - 4 * 65536)
            for raw in callers:
                raw.vanish()
            await until(lambda: line.waiting.bytes == 0)

    run(story())


def test_where_all_is_full_only_the_largest_holder_is_hit() -> None:
    """Whose frame is not whole is closed; a small caller is served meanwhile."""

    async def story() -> None:
        async with exchange(Limits(all_waiting=2)) as line:
            small, middle = await on_the_line(line, "small"), await on_the_line(line, "middle")
            greedy = await on_the_line(line, "greedy")
            middle.writer.write(head(4 * MIB) + bytes(700_000))
            await until(lambda: line.waiting.bytes >= 600_000)
            greedy.writer.write(head(4 * MIB) + bytes(1_300_000))
            await until(lambda: line.waiting.bytes >= 1_800_000)
            small.send(clip_message(LONG))
            await small.hear("audio_response")
            assert (await greedy.closed())[0] == 4429
            assert greedy.errors() == ["busy"]
            assert (small.errors(), middle.errors()) == ([], [])
            assert line.counters.messages_refused["busy"] == 1
            middle.say(type="ping")  # some more of its frame
            for raw in (small, middle, greedy):
                raw.vanish()
            await until(lambda: line.waiting.bytes == 0)

    run(story())


def test_who_is_over_their_own_limit_is_told_busy_and_the_call_goes_on() -> None:
    """Clips wait for the model; when they are answered there is room again. One that alone is too large is told so."""

    async def story() -> None:
        async with exchange(Limits(caller_waiting=1)) as line:
            raw = await on_the_line(line, "user-1")
            line.ear.free.clear()
            raw.send(clip_message(LONG))
            raw.send(clip_message(LONG))
            assert (await raw.hear("error"))["code"] == "busy"
            raw.send(clip_message(wav(SOUND * 16)))
            assert (await raw.hear("error"))["code"] == "audio_too_big"
            assert line.waiting.bytes >= len(SOUND) * 8
            line.ear.free.set()
            await raw.hear("audio_response")
            await until(lambda: line.waiting.bytes == 0)
            raw.send(clip_message(LONG))
            await raw.hear("audio_response")
            raw.vanish()

    run(story())


def test_a_large_clip_that_is_refused_waits_no_more() -> None:
    """Nobody was chosen: the session never takes it over, and the shore gives its room back."""

    async def story() -> None:
        async with exchange() as line:
            raw = await Raw.dial(line.url, "user-1")
            for _ in range(3):
                raw.send(clip_message(LONG))
                raw.say(type="ping")
                await raw.hear("pong")
                await until(lambda: not line.waiting.bytes)
            assert raw.errors() == ["no_persona"]
            raw.vanish()

    run(story())


def test_a_large_frame_that_stands_still_is_closed() -> None:
    """With 4413, and a reason."""

    async def story() -> None:
        async with exchange(client_limits=ClientLimits(frame_seconds=0.5)) as line:
            raw = await on_the_line(line, "user-1")
            raw.writer.write(head(4 * MIB) + bytes(MIB))
            code, reason = await raw.closed()
            assert (code, "frame" in reason) == (4413, True)
            await until(lambda: line.waiting.bytes == 0)
            raw.vanish()

    run(story())


def test_who_may_come_back_sends_a_frame_that_stood_still_once_more() -> None:
    """The call goes on without it; after three of them it is over."""

    async def story() -> None:
        async with exchange(client_limits=ClientLimits(frame_seconds=0.5)) as line:
            raw = await Raw.dial(line.url, query=f"?astrologer_id={TINA}&resumable=true")
            ticket = (await raw.hear("config_ack"))["resume"]
            await raw.hear("audio_response")
            raw.say(type="text", text="tell me")
            await raw.hear("audio_response")
            token, received = ticket["token"], raw.received
            for attach in (1, 2, 3):
                raw.writer.write(head(4 * MIB) + bytes(MIB))
                assert (await raw.closed())[0] == 4413
                raw.vanish()
                raw = await Raw.dial(line.url, query="?resume=true")
                raw.say(type="resume", token=token, attach=attach - 1, received=received)
                told = orjson.loads((await raw.frame())[1])
                received = 0
                if attach < 3:
                    assert (told["type"], told["received"]) == ("resumed", 1 if attach == 1 else 0)
            assert told["code"] == "ended"
            raw.vanish()

    run(story())


def test_replies_that_nobody_reads_count_and_give_way() -> None:
    """Who reads nothing is cut when others need the room."""

    async def story() -> None:
        async with exchange(Limits(all_waiting=2), client_limits=ClientLimits(unsent=4096)) as line:
            small, deaf = await on_the_line(line, "small"), await on_the_line(line, "deaf")
            line.mind.script = "I say more than fits. " * 25
            deaf.say(type="text", text="tell me")
            await until(lambda: line.waiting.bytes > MIB)
            line.mind.script = "I see."
            small.send(clip_message(LONG))
            await small.hear("audio_response")
            small.send(clip_message(LONG + bytes(600_000)))
            await small.hear("audio_response")
            await until(lambda: line.counters.ended[4413] == 1)
            assert small.errors() == []
            assert (await deaf.closed())[0] == 1006
            for raw in (small, deaf):
                raw.vanish()
            await until(lambda: line.waiting.bytes == 0)

    run(story())
