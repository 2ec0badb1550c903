"""Clients who read nothing, or stop reading for a while, in a streamed call."""

import socket

import pytest

from actors.testing.phone import Phone
from tests.kit.exchange import Exchange, exchange
from tests.kit.four import TINA
from tests.kit.loop import run

SENTENCES = 5  # each is a second of sound
LONG = " ".join(f"Sentence number {n}." for n in range(SENTENCES))


@pytest.fixture(autouse=True)
def _small_kernel_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a second of sound already waits in the server."""
    monkeypatch.setattr("web.endpoint.UNSENT_BYTES", 4096)


async def deafen(line: Exchange, phone: Phone) -> None:
    """Begin a long reply, and read no more of it."""
    await phone.choose(TINA, mode="stream")
    await phone.reply()
    line.mind.script = LONG
    phone.socket.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await phone.say(type="text", text="tell me")
    await phone.hear("sound")
    phone.socket.transport.pause_reading()  # type: ignore[attr-defined]


async def a_neighbour_hears_everything(line: Exchange) -> None:
    """For some seconds, at the pace at which it plays."""
    async with line.phone("neighbour") as other:
        await other.choose(TINA, mode="stream")
        await other.reply()
        await other.say(type="text", text="tell me")
        assert (await other.reply()).plays == SENTENCES


def test_who_reads_too_slowly_is_closed_with_4408(monkeypatch: pytest.MonkeyPatch) -> None:
    """More of the stream waits for them than may; a neighbour notices nothing."""
    monkeypatch.setattr("web.outbox.MAX_SOUND", 24_000)

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await deafen(line, phone)
            await a_neighbour_hears_everything(line)
            phone.socket.transport.resume_reading()  # type: ignore[attr-defined]
            ended = await phone.closed()
            assert ended.code == 4408
            assert "too slowly" in ended.reason

    run(story())


def test_who_stops_reading_for_a_while_loses_nothing() -> None:
    """What waited is heard whole, in order, and the call goes on."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await deafen(line, phone)
            await a_neighbour_hears_everything(line)
            phone.socket.transport.resume_reading()  # type: ignore[attr-defined]
            done = await phone.hear("response_done")
            assert done["status"] == "completed"
            pieces = [m["pcm"] for m in phone.seen if m["type"] == "sound" and m["response_id"] == done["response_id"]]
            assert sum(map(len, pieces)) == SENTENCES * 48_000
            line.mind.script = ""
            await phone.say(type="text", text="and now?")
            assert (await phone.reply()).text.endswith("then and now?.")

    run(story())


def test_who_reads_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while that nothing can be written; nothing is left of the call."""
    monkeypatch.setattr("web.outbox.WRITE_SECONDS", 0.5)

    async def story() -> None:
        async with exchange() as line:
            before = line.left()
            phone = await line.phone().__aenter__()
            await deafen(line, phone)
            await line.settles_to(
                {**before, "handles": before["handles"] + 1, "connections": 1 + before["connections"]}, 20
            )
            phone.socket.transport.abort()
            await phone.socket.wait_closed()

    run(story())
