"""Frames that go straight from aiohttp's parser to the session, and those that wait: two ways, one order."""

import asyncio
import random
import struct
import threading
from typing import Any, cast

import orjson
import pytest
from aiohttp import WSMsgType, web, web_protocol
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader
from aiohttp.http import WSMessage

from actors.admission.waiting import Ledger
from actors.counters import Counters
from actors.messages.admission import Detached, From, Wished
from actors.messages.caller import Malformed, Played, Recorded, Spoke, ToCaller, Typed
from actors.runtime import LoopActor, Ref, launch
from actors.testing.stage import Stage
from audio.clip_frame import unpack
from tests.kit.raw import BINARY, PING, TEXT, Raw, clip_message, head
from tests.kit.shore import Porter, shore
from tests.kit.story import run, until
from tests.web.test_receive_buffer import Protocol
from web import receiver
from web.frame_queue import QUEUED_BYTES, FrameQueue
from web.reading_budget import MOST_UNHANDLED, PACE, PACE_AT_ONCE, READ_FRAMES, ReadingBudget, text_cost
from web.reassembly import MAX_FRAME
from web.request_scheduler import SCHEDULER, RequestScheduler
from web.wires.binary import BinaryFrames

EMPTY = head(0, BINARY)
SOUND = head(960, BINARY) + bytes(960)
CHANGED = (
    "aiohttp has changed {}, by which web/frame_queue.py, web/receive_buffer.py or web/call_socket.py stand in its "
    "WebSocket: read what is new, change these, then the range in setup.cfg."
)


class Listening(LoopActor[From | Wished | Detached]):
    """A session that remembers what it is told; `slow` is how often it takes longer than a turn over a message."""

    def __init__(self, caller: Ref[ToCaller], heard: list[Any], slow: float = 0.0) -> None:
        super().__init__()
        self._caller, self._heard, self._chance, self._slow = caller, heard, random.Random(1), slow

    def on_receive(self, message: From | Wished | Detached) -> None:
        match message:
            case From(_, said):
                self._heard.append(said)
                if isinstance(said, Recorded) and said.counted:
                    said.counted.release()
                if self._chance.random() < self._slow:
                    threading.Event().wait(0.0011)  # longer than a turn
            case Detached():
                self._heard.append(message)
                self.end()


def numbered(number: int, chance: random.Random) -> bytes:
    """A frame that carries this number: a little sound, a message, a ping before sound, a clip, or one in parts."""
    sound = struct.pack("<2h", 0, number) + bytes(956)
    match chance.randrange(12):
        case 0:
            text = orjson.dumps({"type": "played", "response_id": "1", "ms": number})
            return head(len(text)) + text
        case 1:
            return head(4, PING) + b"ping" + head(len(sound), BINARY) + sound
        case 2:
            text = clip_message(struct.pack("<i", number) + bytes(60_000))
            return head(len(text)) + text
        case 3:
            text = orjson.dumps({"type": "text", "text": f"{number}"})
            return head(5, TEXT, last=False) + text[:5] + head(len(text) - 5, 0) + text[5:]
        case _:
            return head(len(sound), BINARY) + sound


def number_of(said: Any) -> int:
    """The number that it carries."""
    match said:
        case Spoke(pcm):
            return int(struct.unpack_from("<h", pcm, 2)[0])
        case Played(_, ms):
            return ms
        case Typed(text):
            return int(text)
        case Recorded(clip):
            return int(struct.unpack_from("<i", clip if isinstance(clip, bytes) else unpack(clip.frame))[0])
    raise AssertionError(f"{said} carries no number")


@pytest.mark.parametrize("slow", [0.0, 0.1, 0.6])
@pytest.mark.parametrize("early", [True, False])
def test_two_ways_are_one_order(slow: float, early: bool) -> None:
    """Sound, messages, clips, parts and pings, in pieces of any size, before a session that keeps up or does not."""
    heard, chance = list[Any](), random.Random(7)
    sent = [numbered(number, chance) for number in range(600)]

    async def story() -> None:
        porter = Porter(lambda caller: launch(Listening(caller.outbox, heard, slow)))
        async with shore(porter) as address:
            first, rest = b"".join(sent[:30]), b"".join(sent[30:])
            raw = await Raw.dial(f"ws://{address}", early=first if early else b"")
            rest = rest if early else first + rest
            while rest:
                size = chance.choice([1, 500, 966, 966, 3000, 100_000])
                raw.writer.write(rest[:size])
                rest = rest[size:]
                await raw.writer.drain()
                if chance.random() < 0.3:
                    await asyncio.sleep(0)
            raw.send(b"\x03\xe8", 8)
            await until(lambda: any(isinstance(said, Detached) for said in heard))
            raw.vanish()

    run(story())
    assert [number_of(said) for said in heard[:-1]] == list(range(600))
    assert heard[-1].how.code == 1000


class Socket:
    """aiohttp's, as the receiver knows it."""

    def __init__(self, frames: FrameQueue) -> None:
        self._frames = frames

    async def receive(self) -> Any:
        try:
            return await self._frames.read()
        except Exception as error:
            return WSMessage(WSMsgType.ERROR, error, None)


class Connection:
    """An admitted one on the stage: what the parser is fed, and what the session has heard of it."""

    def __init__(
        self,
        stage: Stage,
        binary: BinaryFrames | None = None,
        scheduler: RequestScheduler | None = None,
        session: Any = None,
    ) -> None:
        self.protocol, self.heard = Protocol(), list[Any]()
        loop = asyncio.get_running_loop()
        self.frames = FrameQueue(cast(Any, self.protocol), QUEUED_BYTES, loop=loop)
        self.parser = WebSocketReader(self.frames, MAX_FRAME, compress=False, decode_text=False)
        self.session = session or launch(Listening(cast(Any, None), self.heard))
        line = LineBefore(scheduler)
        self.receiver = receiver.Receiver(
            cast(Any, Socket(self.frames)), self.frames, self.session, 1, Ledger().holding(1), cast(Any, self),
            cast(Any, line), Counters(), ReadingBudget(None), binary or BinaryFrames(loop.time),
        )  # fmt: skip
        stage.settle()
        self.task = loop.create_task(self.receiver.run(1.0))
        stage.settle()

    def report_to(self, report: Any) -> None:
        """As the receive buffer, which has nothing to say here."""


class LineBefore:
    """The request of a caller who is there."""

    transport = True

    def __init__(self, scheduler: RequestScheduler | None) -> None:
        self.app = {SCHEDULER: scheduler or RequestScheduler(60.0)}  # whose turns follow each other without a pause


def test_a_frame_is_told_before_the_loop_goes_round(stage: Stage) -> None:
    """Sound and messages, while the session keeps up; nothing is queued."""
    line = Connection(stage)
    text = b'{"type":"ping"}'
    for data in (SOUND, head(len(text)) + text):
        line.parser.feed_data(data)
        assert (line.session.backlog, line.frames._size) == (1, 0)
        stage.settle()
    assert [type(said).__name__ for said in line.heard] == ["Spoke", "Pinged"]
    line.task.cancel()
    stage.settle()


def test_one_read_of_empty_frames_is_not_handled_in_one_callback(stage: Stage) -> None:
    """256 KiB of them, 43,690: a few are told, then the queue stops the parser and the socket; all is read in turn."""
    line = Connection(stage)
    line.parser.feed_data(EMPTY * (2**18 // len(EMPTY)))
    assert 0 < line.session.backlog <= READ_FRAMES
    assert line.protocol._reading_paused
    stage.settle()
    assert [type(said) for said in line.heard] == [Malformed] * (2**18 // len(EMPTY))
    line.task.cancel()
    stage.settle()


def test_so_many_frames_are_told_at_once_and_no_more(stage: Stage) -> None:
    """However many come in reads of their own, while the session has no turn."""
    line = Connection(stage)
    for _ in range(3 * READ_FRAMES):
        line.parser.feed_data(SOUND)
    assert line.session.backlog == READ_FRAMES
    stage.settle()
    assert not line.session.backlog
    assert not line.frames._size
    assert len(line.heard) == 3 * READ_FRAMES
    line.task.cancel()
    stage.settle()


class Stuck:
    """A session that handles nothing."""

    backlog = 0

    def tell(self, message: Any, /) -> None:
        """It waits."""
        self.backlog += 1


def test_a_session_that_handles_nothing_is_told_no_more_than_its_bound() -> None:
    """Whatever turns there are: what comes waits in the network."""

    class Running:
        def settle(self) -> None:
            """The loop runs by itself."""

    async def story() -> None:
        line = Connection(cast(Any, Running()), session=(stuck := Stuck()))
        await asyncio.sleep(0)
        line.parser.feed_data(SOUND * 5 * MOST_UNHANDLED)
        for _ in range(10 * MOST_UNHANDLED):
            await asyncio.sleep(0)
        assert MOST_UNHANDLED <= stuck.backlog < MOST_UNHANDLED + READ_FRAMES
        assert line.protocol._reading_paused
        line.task.cancel()
        await asyncio.gather(line.task, return_exceptions=True)

    run(story())


class Told(RequestScheduler):
    """Gives nobody a turn until `open`; then notes at each how many messages the sessions have been told."""

    def __init__(self) -> None:
        super().__init__(60.0)
        self.open = asyncio.Event()
        self.lines: list[Connection] = []
        self.at: list[int] = []

    async def turn(self) -> None:
        await self.open.wait()
        await super().turn()
        self.at.append(sum(line.session.backlog + len(line.heard) for line in self.lines))


FLOOD = 500  # messages


def flooding(stage: Stage, turns: Told, lines: int) -> list[Connection]:
    """Connections on each of which so much has come, of which the sessions have handled what was told at once."""
    turns.lines = [Connection(stage, scheduler=turns) for _ in range(lines)]
    text = b'{"type":"ping"}'
    for line in turns.lines:
        line.parser.feed_data((head(len(text)) + text) * FLOOD)
    stage.settle()
    return turns.lines


def test_of_a_flood_little_is_told_while_others_have_their_turns(stage: Stage) -> None:
    """What a call may send at its pace, in texts, and no more until it has a turn. Frames of others go straight."""
    floods = flooding(stage, turns := Told(), 10)
    seconds = 10  # that this test may take on a busy machine
    most = (2 * READ_FRAMES + PACE_AT_ONCE + seconds * PACE) // text_cost(15)
    assert max(len(line.heard) for line in floods) <= most < FLOOD
    assert all(line.receiver.holds_back for line in floods)

    other = Connection(stage, scheduler=turns)
    other.parser.feed_data(SOUND)
    assert other.session.backlog == 1
    for line in (other, *floods):
        line.task.cancel()
    stage.settle()


def test_calls_that_flood_are_read_in_turns_and_to_the_end(stage: Stage) -> None:
    """One call in each, with no more than a budget; nothing is lost."""
    floods = flooding(stage, turns := Told(), 3)
    turns.open.set()
    stage.settle()
    assert [len(line.heard) for line in floods] == [FLOOD] * 3
    paced = len(floods) * 2  # whose budgets may begin anew between two turns, as their pace allows
    most = (1 + paced) * READ_FRAMES // text_cost(15)
    assert max(after - before for before, after in zip(turns.at, turns.at[1:], strict=False)) <= most
    for line in floods:
        line.task.cancel()
    stage.settle()


def test_halves_of_samples_are_bounded_too(stage: Stage) -> None:
    """They tell the session nothing, so that it is never behind."""
    line = Connection(stage)
    line.parser.feed_data((head(1, BINARY) + b"\0") * 100)
    assert line.frames._size
    stage.settle()
    assert not line.frames._size
    line.task.cancel()
    stage.settle()


def test_nothing_is_told_after_the_end_of_a_connection(stage: Stage) -> None:
    """What still comes is behind Detached, whoever ended it."""
    line = Connection(stage)
    line.task.cancel()
    stage.settle()
    line.parser.feed_data(SOUND)
    assert line.frames._size
    stage.settle()
    assert [type(said).__name__ for said in line.heard] == ["Detached"]


def test_an_error_of_ours_ends_the_call_where_it_is_logged(stage: Stage) -> None:
    """In the task of the call, and not in aiohttp's parser, which would keep it to itself."""

    class Broken(BinaryFrames):
        def read(self, frame: bytes) -> Any:
            raise RuntimeError("a mistake of ours")

    line = Connection(stage, Broken(asyncio.get_running_loop().time))
    line.parser.feed_data(SOUND)
    stage.settle()
    assert line.task.done()
    assert isinstance(line.task.exception(), RuntimeError)


def test_the_names_of_aiohttp_are_as_they_were(stage: Stage) -> None:
    """They are private: a release may change them, and must not do so unnoticed."""
    queue = WebSocketDataQueue(cast(Any, Protocol()), QUEUED_BYTES, loop=asyncio.get_running_loop())
    parser = WebSocketReader(queue, MAX_FRAME, compress=False, decode_text=False)
    for name in ("_size", "_limit", "_buffer", "_stalled_reader"):
        assert hasattr(queue, name), CHANGED.format(f"WebSocketDataQueue.{name}")
    for name in ("_reader", "_parser", "_loop", "_waiting", "_post_start", "_handshake", "_close_transport"):
        assert hasattr(web.WebSocketResponse, name), CHANGED.format(f"WebSocketResponse.{name}")
    for name in ("_payload_parser", "_message_tail", "_reading_paused"):
        assert name in vars(web_protocol.RequestHandler) or name in _slots(web_protocol.RequestHandler), CHANGED.format(
            f"RequestHandler.{name}"
        )
    assert queue._limit == 2 * QUEUED_BYTES, CHANGED.format("what the queue holds")
    assert parser.feed_data(SOUND) == (False, b""), CHANGED.format("what the parser answers")
    ((frame, size),) = queue._buffer
    assert (frame[0], size) == (WSMsgType.BINARY, 960), CHANGED.format("what the parser puts into the queue")


def test_a_subclass_of_the_queue_is_asked_by_the_parser(stage: Stage) -> None:
    """Also where aiohttp's parser is compiled, and calls its own queue directly."""
    frames = FrameQueue(cast(Any, Protocol()), QUEUED_BYTES, loop=asyncio.get_running_loop())
    frames.listen(lambda frame: True)
    WebSocketReader(frames, MAX_FRAME, compress=False, decode_text=False).feed_data(SOUND)
    assert not frames._size, CHANGED.format("how the parser calls its queue")


def _slots(kind: type) -> set[str]:
    return {name for base in kind.__mro__ for name in getattr(base, "__slots__", ())}
