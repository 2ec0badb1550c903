"""What keeps one caller from holding up the others, through the real server."""

import asyncio
import struct
import threading
from contextlib import suppress

import pytest
from aiohttp import web
from websockets.exceptions import ConnectionClosed

from actors.messages.admission import Detached, From
from actors.messages.caller import Close, Pong, ToCaller
from actors.messages.identity import Identity
from actors.runtime import LoopActor, Ref, launch
from actors.services import Limits
from audio import wav
from audio.clip_frame import LARGE
from phone import CallFailed, Phone
from tests.kit.exchange import exchange
from tests.kit.four import TINA
from tests.kit.raw import BINARY, TEXT, Raw, head
from tests.kit.shore import Porter, shore
from tests.kit.story import WITHIN, run, until
from web.auth import Auth
from web.auth.doorman import OpenDoor, Visitor
from web.client_limits import ClientLimits
from web.reading_budget import MOST_UNHANDLED

CLIP = wav(struct.pack("<36000h", *(9000 * (n // 40 % 2) for n in range(36_000))))  # 1.5 s


class Slow(LoopActor[From | Detached]):
    """A session that takes its time."""

    def __init__(self, caller: Ref[ToCaller], backlogs: list[int]) -> None:
        super().__init__()
        self._caller, self._backlogs = caller, backlogs

    def on_receive(self, message: From | Detached) -> None:
        match message:
            case From():
                self._backlogs.append(self.me.backlog)
                threading.Event().wait(0.0011)  # longer than a turn: one message at a time
                self._caller.tell(Pong())
            case Detached():
                self.end()


def test_a_flood_waits_in_the_network_and_not_in_the_mailbox() -> None:
    """A session that is slow is read from no faster than it hears; every message is handled in the end."""
    backlogs: list[int] = []

    async def story() -> None:
        porter = Porter(lambda caller: launch(Slow(caller.outbox, backlogs)))
        async with shore(porter) as address, Phone(f"ws://{address}", "user-1") as phone:
            for _ in range(1000):
                await phone.say(type="ping")
            for _ in range(1000):
                await phone.hear("pong")

    run(story())
    assert len(backlogs) == 1000
    assert max(backlogs) <= MOST_UNHANDLED


def test_what_a_lost_connection_leaves_is_not_read_to_its_end() -> None:
    """The call ends, or its caller comes back and sends it again; a flood would be work for many seconds."""
    backlogs: list[int] = []
    message = b'{"type":"ping","x":"%b"}' % (b"x" * 80)
    flood = (head(len(message)) + message) * 5000
    begun, over = asyncio.Event(), asyncio.Event()

    class Watched(Slow):
        def on_receive(self, message: From | Detached) -> None:
            begun.set()
            super().on_receive(message)
            if isinstance(message, Detached):
                over.set()

    async def story() -> None:
        porter = Porter(lambda caller: launch(Watched(caller.outbox, backlogs)))
        async with shore(porter) as address:
            raw = await Raw.dial(f"ws://{address}", early=flood)
            async with asyncio.timeout(WITHIN):
                await begun.wait()
                raw.vanish()
                await over.wait()

    run(story())
    assert 0 < len(backlogs) < 1000


@pytest.mark.thorough
def test_a_call_does_not_begin_when_its_caller_has_left() -> None:
    """Whoever knows the caller took a moment, and meanwhile the connection was lost."""
    came: list[object] = []

    class Slowly(OpenDoor):
        async def identify(self, request: web.BaseRequest, user: str) -> Visitor | Close:
            asked.set()
            await until(lambda: not request.transport)
            left.set()
            return Visitor(Identity(user))

    async def story() -> None:
        async with shore(Porter(came.append), auth=Auth(Slowly())) as address:
            raw = await Raw.dial(f"ws://{address}")
            async with asyncio.timeout(WITHIN):
                await asked.wait()
                raw.vanish()
                await left.wait()
            await asyncio.sleep(0)
            async with Phone(f"ws://{address}", "user-2"):
                pass

    asked, left = asyncio.Event(), asyncio.Event()
    run(story())
    assert came == []


async def ping(phone: Phone) -> None:
    """Until the call is over."""
    while True:
        await phone.say(type="ping")
        await phone.hear("pong")


def test_too_many_valid_messages_close_the_call() -> None:
    """A burst of ten seconds' worth is taken, then comes too_many_messages and 4400."""

    async def story() -> None:
        async with exchange(Limits(messages=10)) as line, line.phone() as phone:
            clock = asyncio.get_running_loop()
            began = clock.time()
            with pytest.raises(CallFailed, match="too_many_messages"):
                await ping(phone)
            ended = await phone.closed()
            assert ended.code == 4400
            assert ended.error is not None
            assert ended.error["code"] == "too_many_messages"
            assert "10 a second" in ended.reason
            taken = sum(message["type"] == "pong" for message in phone.seen)
            assert 100 <= taken <= 110 + 10 * (clock.time() - began)

    run(story())


def test_large_clips_keep_their_place_in_the_order() -> None:
    """One is opened by a decoder, long after the typed turn behind it was read: it is still answered first."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            await phone.choose(TINA)
            await phone.answer()
            line.tones.free.clear()
            assert len(CLIP) > LARGE
            await phone.send_clip(CLIP)
            await phone.say(type="text", text="and this")
            while (await phone.hear("transcript"))["text"] != "1.5 seconds in hi":
                pass
            line.tones.free.set()
            assert (await phone.answer()).text == "You said 1.5 seconds in hi, then and this."

    run(story())


def test_a_large_frame_that_is_no_clip_is_refused_and_counts() -> None:
    """With the codes that a small one would have earned, and too many of them close the call."""
    frames = {
        "bad_json": b"x" * 70_000,
        "unknown_type": b'{"type": "x", "x": "%s"}' % (b"x" * 70_000),
        "bad_message": b'{"type": "ping", "x": "%s"}' % (b"x" * 70_000),
        "bad_base64": b'{"type": "audio", "audio": "%s*"}' % (b"x" * 70_000),
        "audio_too_big": b'{"type": "audio", "audio": "%s"}' % (b"x" * 6_000_000),
    }

    async def story() -> None:
        async with exchange(Limits(bad_messages=len(frames))) as line, line.phone() as phone:
            await phone.choose(TINA)
            for code, frame in frames.items():
                await phone.socket.send(frame, text=True)
                with pytest.raises(CallFailed, match=code):
                    await phone.hear("pong")
            await phone.socket.send(frames["bad_json"], text=True)
            ended = await phone.closed()
            assert ended.code == 4400
            codes = [message["code"] for message in phone.seen if message["type"] == "error"]
            assert codes == [*frames, "bad_json", "too_many_messages"]

    run(story())


def test_streamed_frames_are_within_the_rate() -> None:
    """A thousand messages at once, twenty seconds of audio frames, are no offence."""

    async def story() -> None:
        async with exchange() as line, line.phone() as phone:
            for _ in range(1000):
                await phone.say(type="ping")
            for _ in range(1000):
                await phone.hear("pong")
            assert (await phone.choose(TINA))["astrologer_id"] == TINA

    run(story())


@pytest.mark.parametrize("begun", [b"", b"GET /health HTTP/1.1\r\nHost: loc"])
def test_a_connection_without_a_request_is_closed(begun: bytes) -> None:
    """Whether it says nothing or half of something; a call, which is one request, is not cut short."""

    async def story() -> None:
        async with exchange(client_limits=ClientLimits(idle_seconds=1.0)) as line, line.phone() as phone:
            reader, writer = await asyncio.open_connection(*line.http.removeprefix("http://").split(":"))
            writer.write(begun)
            assert await reader.read() == b""
            writer.close()
            await phone.choose(TINA)
            await phone.answer()

    run(story())


def test_a_frame_that_is_no_websocket_frame_is_a_close_and_no_crash(caplog: pytest.LogCaptureFixture) -> None:
    """One that is too big, or has a reserved opcode: the socket is closed, the log says nothing of it."""

    async def story() -> None:
        async with exchange() as line:
            async with line.phone() as phone:
                with suppress(ConnectionClosed):  # in the middle of it
                    await phone.socket.send(b"x" * 9_000_000, text=True)
                assert (await phone.closed()).code == 1009
            async with line.phone() as phone:
                phone.socket.transport.write(bytes([0x83, 0x80, 0, 0, 0, 0]))
                assert (await phone.closed()).code == 1002

    run(story())
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("kind", [TEXT, BINARY])
@pytest.mark.parametrize("size", [9_000_000, 40_000_000])
def test_a_frame_that_is_too_big_is_closed_with_a_code(kind: int, size: int) -> None:
    """Also for a client that reads only when it has written all: a cut connection would be 1006, and say nothing."""

    async def story() -> None:
        async with exchange() as line:
            raw = await Raw.dial(line.url)
            raw.writer.write(head(size, kind))
            for _ in range(0, size, 1_000_000):
                raw.writer.write(bytes(1_000_000))
                await raw.writer.drain()
            code, reason = await raw.closed()
            assert (code, "send shorter clips" in reason) == (1009, True)
            raw.vanish()

    run(story())


@pytest.mark.parametrize("limits", [ClientLimits(linger_seconds=0.1), ClientLimits(linger_bytes=1_000_000)])
def test_who_goes_on_sending_after_the_code_is_cut_off(limits: ClientLimits) -> None:
    """The rest of the frame is read for so long, and so much of it."""

    async def story() -> None:
        async with exchange(client_limits=limits) as line:
            raw = await Raw.dial(line.url)
            raw.writer.write(head(2**40, BINARY))
            with suppress(ConnectionError):
                while True:
                    raw.writer.write(bytes(100_000))
                    await raw.writer.drain()
            raw.vanish()

    run(story())


def test_too_many_pings_of_the_socket_close_the_call() -> None:
    """They are answered, but not without end: then the summary, a close that says why, and a neighbour goes on."""

    async def story() -> None:
        async with exchange() as line, line.phone("neighbour") as other, line.phone() as phone:
            await phone.choose(TINA)
            with suppress(ConnectionClosed):
                while True:
                    await (await phone.socket.ping())
            ended = await phone.closed()
            assert ended.code == 4400
            assert "pings" in ended.reason
            assert phone.seen[-1]["type"] == "summary"
            await other.say(type="ping")
            await other.hear("pong")

    run(story())
