"""The load generator is correct: it loses nothing, identifies every word, and measures latencies correctly."""

import asyncio
import hashlib
import struct
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import orjson
import pytest
import uvloop
from websockets.asyncio.client import connect

from bench import drops, frames, marks
from bench.callers import Call, Crowd
from bench.ear import Ear, Gap
from bench.kills import VOICE, Kill, judge
from bench.load import load
from bench.upstream import Upstream
from tests.kit.story import run, until

THREE = {"OpenAI-Safety-Identifier": hashlib.sha256(marks.user(3).encode()).hexdigest()[:32]}


def word(turn: int, position: int) -> bytes:
    """200 ms."""
    head = marks.word(7, 0, turn, position)
    return head + bytes(marks.WORD - len(head))


@asynccontextmanager
async def model(**manner: Any) -> AsyncIterator[tuple[Upstream, str]]:
    """A model without a server, and its address."""
    upstream = Upstream(**manner)
    await upstream.open()
    try:
        yield upstream, f"ws://127.0.0.1:{upstream.port}/v1/realtime"
    finally:
        await upstream.close()


def append(number: int) -> bytes:
    """A frame of the third caller's microphone, as a server forwards it."""
    audio = b64encode(marks.frame(3, 0, False, number)).decode()
    return b'{"type":"input_audio_buffer.append","audio":"' + audio.encode() + b'"}'


@pytest.mark.thorough
def test_callers_through_the_relay_lose_no_frame() -> None:
    """Five callers for two seconds: every frame arrives in order, with a small latency; every word is received."""

    async def story() -> None:
        async with load("relay", words=5) as running:
            await running.crowd.resize(5)
            for call in running.crowd.calls:
                await call.hears(turn=0)
                await call.until(lambda call=call: call.ear.ends_at < marks.now() / 1e6)  # type: ignore[misc]
            for call in running.crowd.calls:
                call.every = 0
                call.speak(0.2)
            reading = await running.measure(1.5)
            calls = list(running.crowd.calls)
            words = marks.GREETING_WORDS + 5
            await until(lambda: all(len(call.ear.words) == words for call in calls))
            for call in calls:
                running.crowd.mute(call)
            await until(lambda: running.upstream.heard == {call.who: call.sent for call in calls})
            assert reading.lost == 0
            assert reading.frames_per_append == 1.0
            assert 0 < reading.up_p50 < 10_000  # ms
            assert min(running.upstream.uplink) > 0
            for call in calls:
                lengths = {0: marks.GREETING_WORDS, 1: 5}
                said = [(call.who, turn, place) for turn, words in lengths.items() for place in range(words)]
                assert [(heard.who, heard.turn, heard.position) for heard in call.ear.words] == said
                assert running.upstream.speech[call.who, 1] == 10

    run(story(), uvloop.new_event_loop)


def test_a_cut_connection_is_opened_again_after_its_time() -> None:
    """The relay does not redial: its caller is gone; who calls again waits for the opening."""

    async def story() -> None:
        async with load("relay") as running:
            call = await running.crowd.call(who=3)
            assert running.upstream.kill(3, 0.5)
            await call.done
            began = asyncio.get_running_loop().time()
            await running.crowd.call(who=3)
            assert asyncio.get_running_loop().time() - began >= 0.49

    run(story(), uvloop.new_event_loop)


def test_marks_survive_base64_and_joined_frames() -> None:
    """Three frames in one append give three marks, also when the audio was cut elsewhere."""
    pcm = b"".join(marks.frame(300, 2, number == 1, number) for number in range(3))
    for audio in (pcm, pcm[3:]):
        found = marks.coded(b64encode(audio))
        assert [(mark.who, mark.turn, mark.speaking) for mark in found][-2:] == [(300, 2, 1), (300, 2, 0)]


@pytest.mark.parametrize("size", [1, 20, 959, 961, 4800])
def test_sound_of_others_has_no_marks(size: int) -> None:
    """Whatever its length, and where its base64 ends."""
    assert marks.coded(b64encode(bytes(range(1, 256)) * 20)[: size * 4 // 3 // 4 * 4]) == []
    assert marks.coded(b64encode((bytes(range(1, 256)) * 20)[:size])) == []


def test_an_ear_plays_in_real_time() -> None:
    """Words are heard one after another, in whatever pieces they came; a wait inside a reply is a gap."""
    ear = Ear(lambda late: None)
    ear.begin()
    sound = word(1, 0) + word(1, 1)
    for at in range(0, len(sound), 1000):
        ear.hear(10.0, sound[at : at + 1000])
    ear.hear(10.9, word(1, 2))
    ear.hear(20.0, word(2, 0))

    assert [round(heard.plays_at, 3) for heard in ear.words] == [10.0, 10.2, 10.9, 20.0]
    assert [(gap.turn, round(gap.seconds, 3)) for gap in ear.gaps[:1]] == [(1, 0.5)]


def test_what_is_cleared_is_not_heard() -> None:
    """A word counts as played if at least half of it was."""
    ear = Ear(lambda late: None)
    ear.begin()
    ear.hear(10.0, b"".join(word(1, position) for position in range(5)))
    ear.clear(10.31)

    assert [heard.position for heard in ear.words] == [0, 1]
    assert ear.ends_at == 10.31


def test_frames_are_read_in_any_pieces() -> None:
    """Masked or not, of each of the three lengths, byte by byte."""
    key = b"\x01\x02\x03\x04"
    masked = bytes(byte ^ key[at % 4] for at, byte in enumerate(b"hello"))
    sent = [(frames.TEXT, b"a" * 5), (frames.BINARY, b"b" * 300), (frames.BINARY, b"c" * 70_000)]
    stream = b"".join(frames.frame(opcode, payload, masked=True) for opcode, payload in sent)
    stream += struct.pack("!BB", 129, 128 | 5) + key + masked
    reader, got = frames.Reader(), []
    for at in range(0, len(stream), 997):
        got += reader.feed(stream[at : at + 997])

    assert got == [*sent, (frames.TEXT, b"hello")]


def test_fragments_are_put_together() -> None:
    """With a ping between them, byte by byte."""
    ping = frames.frame(frames.PING, b"?")
    stream = bytes([frames.TEXT, 2]) + b"he" + ping + bytes([0, 2]) + b"ll" + bytes([128, 1]) + b"o" + ping
    reader, got = frames.Reader(), []
    for byte in stream:
        got += reader.feed(bytes([byte]))
    assert got == [(frames.PING, b"?"), (frames.TEXT, b"hello"), (frames.PING, b"?")]


def test_a_session_of_the_model_ends_after_its_life() -> None:
    """It says when, then that it has expired, then closes with 1001; the next connection takes over from it."""

    async def story() -> None:
        async with model(life=2.0) as (upstream, url):  # so long a busy machine does not keep us from saying something
            began = asyncio.get_running_loop().time()
            before = time.time()
            async with connect(url, additional_headers=THREE) as socket:
                session = orjson.loads(await socket.recv())["session"]
                assert before + 1.0 <= session["expires_at"] <= time.time() + 2.0  # in whole seconds
                await socket.send(append(0), text=True)
                assert orjson.loads(await socket.recv())["error"]["code"] == "session_expired"
                await socket.wait_closed()
                assert socket.close_code == 1001
            assert asyncio.get_running_loop().time() - began >= 1.99
            async with connect(url, additional_headers=THREE) as socket:
                await socket.send(append(1), text=True)
                await until(lambda: bool(upstream.takeovers))
            assert [(over.who, over.expired) for over in upstream.takeovers] == [(3, True)]
            assert [who for who, _ in upstream.expired] == [3]

    run(story(), uvloop.new_event_loop)


def test_an_answer_stalls_at_its_word_once() -> None:
    """For so long; the next answer is whole at once, and no word is missing or said twice."""

    async def story() -> None:
        async with model(words=4, gap=0.01, stalls={3: (2, 0.3)}) as (upstream, url):
            async with connect(url, additional_headers=THREE) as socket:
                took = []
                for _ in range(2):
                    began = asyncio.get_running_loop().time()
                    await socket.send(orjson.dumps({"type": "response.create"}), text=True)
                    came, kind, words = [], "", ""
                    while kind != "response.done":
                        event = orjson.loads(await socket.recv())
                        kind = event["type"]
                        if kind == "response.output_audio_transcript.delta":
                            words += event["delta"]
                            came.append(asyncio.get_running_loop().time())
                    assert words == "a00 a01 a02 a03 "
                    took.append(came[2] - began)  # the words before it may have been read late
            assert took[0] >= 0.29
            assert not upstream.stalls

    run(story(), uvloop.new_event_loop)


def test_one_connection_takes_over_from_another_once() -> None:
    """Audio that was under way to the one before counts for nothing, nor does a connection that hears none."""

    async def story() -> None:
        async with model() as (upstream, url), AsyncExitStack() as stack:
            one, two, _ = [await stack.enter_async_context(connect(url, additional_headers=THREE)) for _ in range(3)]
            for number, socket in enumerate((one, two, one, two)):
                await socket.send(append(number), text=True)
                await until(lambda number=number: upstream.heard[3] == number + 1)  # type: ignore[misc]
            assert [(over.who, over.expired) for over in upstream.takeovers] == [(3, False)]

    run(story(), uvloop.new_event_loop)


SAID = [(1, 0), (1, 1), (1, 2), (1, 3)]


@pytest.mark.parametrize(
    ("heard", "found"),
    [
        (SAID, {}),
        (SAID[:2] + SAID[3:], {"lost": 1}),
        ([*SAID, SAID[1]], {"repeated": 1}),
        ([*SAID, (2, 0)], {"foreign": 1}),
    ],
)
@pytest.mark.parametrize(("frames_heard", "unheard"), [(50, 0), (48, 2)])
def test_what_is_wrong_with_a_turn_is_seen(
    heard: list[tuple[int, int]], found: dict[str, int], frames_heard: int, unheard: int
) -> None:
    """A word lost, one said twice, one of another turn, frames of speech that never came, and half a second's gap."""

    async def story() -> Kill:
        crowd, upstream = Crowd(0), Upstream()
        call, kill = Call(crowd, 7, ""), Kill("rolled over", 0.5)
        for turn, position in heard:
            call.ear.hear(2.0, marks.word(7, VOICE, turn, position) + bytes(marks.WORD - marks.MARK.size))
        call.ear.gaps.append(Gap(2.0, 1, 0.5))
        upstream.speech[7, 1] = frames_heard
        judge(kill, upstream, call, 1, len(SAID), 0.25)
        await crowd.close()
        return kill

    kill = run(story(), uvloop.new_event_loop)
    wrong = {"lost": 0, "repeated": 0, "foreign": 0, "unheard": unheard, **found}
    assert {what: getattr(kill, what) for what in wrong} == wrong
    assert (kill.silence, kill.waited) == (0.5, 0.75)
    assert bool(kill.story) == any(wrong.values())


@pytest.mark.thorough
def test_a_caller_whose_line_is_lost_hears_every_word_once() -> None:
    """The part `drops` itself, small: it measures losses, and what it counts is whole."""
    told: list[str] = []
    (part,) = uvloop.run(drops.run(2, say=told.append))
    assert part.rows[0]["losses"] >= 2
    assert [part.rows[0][what] for what in ("repeated", "lost", "foreign", "ended")] == [0, 0, 0, 0]
