"""The fake model fails on demand, and accepts clips."""

import asyncio

import orjson
import psutil
import pytest
import uvloop
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from bench.load import load
from bench.server_process import Start
from bench.upstream import Upstream
from tests.kit.story import run


async def _opened() -> tuple[Upstream, str]:
    upstream = Upstream()
    await upstream.open()
    return upstream, f"ws://127.0.0.1:{upstream.port}/v1/realtime"


def test_a_key_is_refused_so_often() -> None:
    """And then no more."""

    async def story() -> None:
        upstream, url = await _opened()
        upstream.refusals = 1
        with pytest.raises(InvalidStatus) as refused:
            await connect(url)
        assert refused.value.response.status_code == 401
        async with connect(url) as socket:
            assert orjson.loads(await socket.recv())["type"] == "session.created"
        await upstream.close()

    run(story(), uvloop.new_event_loop)


@pytest.mark.thorough
@pytest.mark.parametrize("deaf", [False, True])
def test_a_mute_model_says_nothing(deaf: bool) -> None:
    """It answers pings unless it is deaf too, and goes on when it is healed."""
    update = '{"type":"session.update","session":{}}'

    async def story() -> None:
        upstream, url = await _opened()
        upstream.mute, upstream.deaf = True, deaf
        async with connect(url, ping_interval=None) as socket:
            pong = asyncio.ensure_future(await socket.ping())
            await socket.send(update, text=True)
            if not deaf:
                await pong
            again = await connect(url)  # by then all of the first was read
            await again.close()
            assert pong.done() is not deaf
            upstream.mute = upstream.deaf = False
            await socket.send(update, text=True)
            assert orjson.loads(await socket.recv())["type"] == "session.updated"
            pong.cancel()
        await upstream.close()

    run(story(), uvloop.new_event_loop)


def test_a_model_that_was_away_is_where_it_was() -> None:
    """On the same port."""

    async def story() -> None:
        upstream, url = await _opened()
        await upstream.close()
        with pytest.raises(ConnectionRefusedError):
            await connect(url)
        await upstream.open()
        async with connect(url):
            pass
        await upstream.close()

    run(story(), uvloop.new_event_loop)


def test_a_recording_is_a_turn() -> None:
    """It is committed, written down, and answered once that is asked for."""

    async def story() -> None:
        upstream, url = await _opened()
        async with connect(url) as socket:
            for kind in ("input_audio_buffer.commit", "response.create"):
                await socket.send(orjson.dumps({"type": kind}), text=True)
            said = []
            while "response.done" not in said:
                said.append(orjson.loads(await socket.recv())["type"])
        await upstream.close()
        assert said.index("input_audio_buffer.committed") < said.index("response.created")
        assert "conversation.item.input_audio_transcription.completed" in said

    run(story(), uvloop.new_event_loop)


def test_a_server_can_have_few_handles_and_a_log_that_nobody_reads() -> None:
    """It is started with both, and found."""

    async def story() -> None:
        async with load("relay", start=Start(handles=100, unread=True)) as running:
            assert running.host.process.rlimit(psutil.RLIMIT_NOFILE) == (100, 100)
            call = await asyncio.wait_for(running.crowd.call(), 60)
            assert call.open

    run(story(), uvloop.new_event_loop)
