"""Clients who read nothing, or stop reading for a while, in a streamed call."""

import asyncio
import struct
from base64 import b64encode
from typing import Any

import orjson
import pytest
from aiohttp import WSMsgType

from actors.messages.admission import Attached
from actors.messages.caller import Chose, Typed
from actors.testing.scene import Scene
from actors.testing.wire import Wire
from tests.kit.deaf import deafen
from tests.kit.exchange import exchange
from tests.kit.four import TINA
from tests.kit.story import run
from tests.kit.streaming import asked, begin, finish, give
from upstream.facts import BYTES_PER_MS
from web.client_limits import ClientLimits
from web.outbox import Outbox

SECOND = 1000 * BYTES_PER_MS


class Line(asyncio.WriteTransport):
    """The way to a client who reads when `reads` is set: a frame that they do not read is still being written."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = asyncio.Event()
        self.reads.set()
        self.sound = bytearray()
        self.told: list[dict[str, Any]] = []
        self.closed: int | None = None
        self.cut = False

    async def send_frame(self, data: bytes, kind: WSMsgType) -> None:
        await self.reads.wait()
        if kind is WSMsgType.BINARY:
            self.sound += data
        elif kind is WSMsgType.TEXT:
            self.told.append(orjson.loads(data))

    async def close(self, *, code: int, message: bytes) -> None:  # type: ignore[override]
        await self.reads.wait()
        self.closed = code

    def abort(self) -> None:
        self.cut = True

    def kinds(self) -> list[str]:
        return [message["type"] for message in self.told]


@pytest.fixture
def line(scene: Scene) -> Line:
    """A streamed call over it, whose greeting was heard."""
    line = Line()
    box = Outbox(line, line, scene.connection + 1)  # type: ignore[arg-type]
    asyncio.get_running_loop().create_task(box.run())
    scene.connection += 1
    scene.session.tell(Attached(scene.connection, box))
    scene.says(Chose(TINA, "stream"))
    wire = scene.wire(1)
    wire.welcome()
    begin(wire, "greeting", asked(wire))
    give(wire, "greeting", "Namaste.")
    finish(wire, "greeting")
    scene.stage.advance(2)
    assert line.kinds()[-1] == "response_done"
    line.sound.clear()
    return line


def answer(scene: Scene, seconds: int, response: str = "answer") -> bytes:
    """The caller asks, and the model answers so many seconds at once; returns their sound, no sample like the next."""
    scene.says(Typed("tell me"))
    wire: Wire = scene.wire(1)
    pcm = struct.pack(f"<{24_000 * seconds}H", *(sample % 65_536 for sample in range(24_000 * seconds)))
    begin(wire, response, asked(wire))
    for at in range(0, len(pcm), SECOND):
        wire.say(
            type="response.output_audio.delta", response_id=response, delta=b64encode(pcm[at : at + SECOND]).decode()
        )
    finish(wire, response)
    return pcm


def test_who_reads_too_slowly_is_closed_with_4413(scene: Scene, line: Line) -> None:
    """More of the stream waits for them than may, 15 s, and nothing of it is said any more."""
    line.reads.clear()
    answer(scene, 20)
    scene.stage.advance(14.9)
    line.reads.set()
    scene.stage.settle()
    assert line.closed == 4413
    assert len(line.sound) < SECOND


def test_who_stops_reading_for_a_while_loses_nothing(scene: Scene, line: Line) -> None:
    """What waited is heard whole, in order, and the call goes on."""
    line.reads.clear()
    pcm = answer(scene, 20)
    scene.stage.advance(14)
    assert not line.sound
    line.reads.set()
    scene.stage.advance(7)
    assert line.sound == pcm
    done = line.told[-1]
    assert (done["type"], done["status"]) == ("response_done", "completed")
    again = answer(scene, 1, "another")
    scene.stage.advance(2)
    assert line.sound == pcm + again


def test_who_reads_nothing_is_cut(scene: Scene, line: Line) -> None:
    """After a while in which nothing could be written; it is not waited for until more waits than may."""
    line.reads.clear()
    answer(scene, 2)
    cut = []
    for seconds in (15, 1):
        scene.stage.advance(seconds)
        cut.append(line.cut)
    assert cut == [False, True]
    assert line.closed is None


def test_of_who_reads_nothing_nothing_is_left() -> None:
    """Over real sockets: the kernel takes no more, the call ends; a neighbour notices nothing."""
    little = ClientLimits(unsent=4096, write_seconds=3.0, slowest_line=10**9)  # a greeting takes less

    async def story() -> None:
        async with exchange(client_limits=little) as line, line.phone("neighbour") as other:
            before = line.left()
            phone = await line.phone().__aenter__()
            await deafen(line, phone)
            await other.say(type="ping")
            await other.hear("pong")
            ours = {"handles": before["handles"] + 1, "connections": before["connections"] + 1}
            await line.settles_to({**before, **ours})
            phone.socket.transport.abort()
            await phone.socket.wait_closed()
            await other.say(type="ping")
            await other.hear("pong")

    run(story())
