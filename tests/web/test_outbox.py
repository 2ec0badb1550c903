"""What is written to a caller, in which order, and when the caller does not behave."""

import asyncio
from base64 import b64decode
from typing import Any

import orjson
from aiohttp import WSMsgType

from actors.admission.waiting import MIB, Kind, Ledger
from actors.call.resume.ledger import Ledger as Unacknowledged
from actors.messages.admission import Admitted, Detached
from actors.messages.caller import AudioResponse, Clear, Close, Error, Pong, Sound, TextResponse
from actors.messages.resuming import Encoded, Resumed
from actors.testing.probe import Probe
from tests.kit.story import run, until
from web.client_limits import ClientLimits
from web.outbox import TOO_SLOW, Outbox


class Gone:
    """A socket whose other end has left."""

    async def send_frame(self, *_frame: Any) -> None:
        raise ConnectionResetError

    async def close(self, **_how: Any) -> None:
        raise AssertionError("there is nobody to say it to")


def test_who_was_refused_and_is_gone_is_not_waited_for() -> None:
    """The endpoint hears that nobody was let in, though neither the error nor the close could be written."""

    async def story() -> None:
        box: Any = Outbox(Gone(), None, 1)  # type: ignore[arg-type]
        box.tell(Error("busy", "All lines are busy."))
        box.tell(Close(4429, "all lines are busy"))
        await box.run()
        assert await box.admitted is None

    run(story())


def test_a_caller_who_reads_too_little_is_closed() -> None:
    """What waits is bounded: over it everything is dropped but the Close that says why; the session knows at once."""
    closes, session = Probe(), Probe()

    class Slow:
        async def send_frame(self, *_frame: Any) -> None:
            raise AssertionError("it was dropped")

        async def close(self, **how: Any) -> None:
            closes.tell(how)

    async def story() -> None:
        box: Any = Outbox(Slow(), None, 1, ClientLimits(text=1000))  # type: ignore[arg-type]
        box.tell(Admitted(session))  # type: ignore[arg-type]
        for _ in range(100):
            box.tell(Error("busy", "x" * 100))
        assert session.heard == [Detached(1, TOO_SLOW)]
        await box.run()

    run(story())
    assert [how["code"] for how in closes.heard] == [4413]


def test_a_clear_overtakes_what_waits_of_its_reply() -> None:
    """What the caller does not want to hear any more is not written; the other reply is."""
    written = Probe()

    class Socket:
        async def send_frame(self, data: bytes, kind: Any) -> None:
            written.tell(data)

        async def close(self, **_how: Any) -> None:
            return

    async def story() -> None:
        box: Any = Outbox(Socket(), None, 1)  # type: ignore[arg-type]
        for response, pcm in (("1.1", b"unwanted"), ("1.2", b"wanted"), ("1.1", b"unwanted")):
            box.tell(Sound(response, pcm))
        box.tell(Clear("1.1"))
        box.tell(Close(1000, "the call has ended"))
        await box.run()

    run(story())
    assert written.heard == [b"wanted", b'{"type":"clear","response_id":"1.1"}']


def test_a_whole_reply_leaves_the_others_their_turns() -> None:
    """Two minutes take 30 ms to be written as base64: a piece in each turn, and in their order with what is told."""
    written, parts = Probe(), list[tuple[int, bytes]]()
    turns = 0

    class Socket:
        async def send_frame(self, data: bytes, kind: Any) -> None:
            written.tell((turns, data))

        async def send_part(self, part: bytes, kind: Any, *, last: bool) -> None:
            parts.append((turns, part))
            if last:
                written.tell((parts[0][0], turns, b"".join(part for _, part in parts)))

        async def close(self, **_how: Any) -> None:
            return

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    pcm = bytes(range(256)) * 22_500
    reply = AudioResponse("1.1", pcm)

    async def story() -> None:
        box: Any = Outbox(Socket(), None, 1)  # type: ignore[arg-type]
        for message in (TextResponse("1.1", "a"), reply, Pong(), Close(1000, "the call has ended")):
            box.tell(message)
        beside = asyncio.create_task(others())
        await box.run()
        beside.cancel()

    run(story())
    (_, first), (began, ended, frame), (_, last) = written.heard
    assert ended - began >= 15
    assert [orjson.loads(data)["type"] for data in (first, frame, last)] == ["text_response", "audio_response", "pong"]
    assert b64decode(orjson.loads(frame)["audio"])[44 : 44 + len(pcm)] == pcm


def test_a_reason_is_cut_between_characters() -> None:
    """A close frame carries 123 bytes; half a character in it is against the rules of WebSocket."""
    closes = Probe()

    class Socket:
        async def close(self, **how: Any) -> None:
            closes.tell(how)

    async def story() -> None:
        box: Any = Outbox(Socket(), None, 1)  # type: ignore[arg-type]
        box.tell(Close(1000, "x" + "\N{DEVANAGARI LETTER KA}" * 60))
        await box.run()

    run(story())
    (how,) = closes.heard
    assert how["message"].decode() == "x" + "\N{DEVANAGARI LETTER KA}" * 40


def test_whole_replies_count_until_they_are_written() -> None:
    """Or until the caller is gone: then nothing of them is kept, either."""
    ledger, reply = Ledger(), AudioResponse("1.1", bytes(300_000))
    counted = list[int]()

    class Socket:
        async def send_part(self, part: bytes, kind: Any, *, last: bool) -> None:
            if last:
                counted.append(ledger.bytes)
            elif len(counted) == 1:
                raise ConnectionResetError

    async def story() -> None:
        box: Any = Outbox(Socket(), None, 1, holding=ledger.holding(1))  # type: ignore[arg-type]
        for _ in range(3):
            box.tell(reply)
        assert ledger.bytes == 1_200_000
        await box.run()
        assert (counted, ledger.bytes) == ([1_200_000], 0)
        assert not box._waiting
        box.tell(reply)
        assert ledger.bytes == 0

    run(story())


def test_who_reads_nothing_is_cut_where_others_need_the_room() -> None:
    """The session knows why; what is small was never counted."""
    ledger, session = Ledger(most=MIB), Probe()
    aborted = Probe()

    class Transport(asyncio.WriteTransport):
        def abort(self) -> None:
            aborted.tell("aborted")

    async def story() -> None:
        box: Any = Outbox(Gone(), Transport(), 1, holding=ledger.holding(1))  # type: ignore[arg-type]
        box.tell(Admitted(session))  # type: ignore[arg-type]
        box.tell(Error("busy", "x" * 1000))
        assert ledger.bytes == 0
        box.tell(AudioResponse("1.1", bytes(600_000)))
        assert ledger.holding(2).parcel(Kind.FRAME).resize(300_000)
        assert (session.heard, aborted.heard) == ([Detached(1, TOO_SLOW)], ["aborted"])
        assert ledger.bytes == 300_000

    run(story())


def test_a_reply_for_which_there_is_no_room_is_dropped_with_all_before_it() -> None:
    """What is left to be written is the close alone, and nothing counts."""
    ledger = Ledger(most=MIB)

    async def story() -> None:
        box: Any = Outbox(Gone(), None, 1, holding=ledger.holding(1))  # type: ignore[arg-type]
        for _ in range(2):
            box.tell(AudioResponse("1.1", bytes(600_000)))
        assert (list(box._waiting), ledger.bytes) == ([TOO_SLOW], 0)

    run(story())


PONG = b'{"type":"pong"}'
LARGE_REPLY = 100_000


class Stuck:
    """A socket on which a frame is being written until `goes`; what was written is in `frames`."""

    def __init__(self) -> None:
        self.goes, self.frames, self.closes = asyncio.Event(), list[bytes](), list[int]()

    async def send_frame(self, data: bytes, kind: Any) -> None:
        self.frames.append(data)
        await self.goes.wait()

    async def close(self, **how: Any) -> None:
        self.closes.append(how["code"])


def unacknowledged(memory: Ledger) -> Unacknowledged:
    """A ledger of what a caller has not acknowledged."""
    return Unacknowledged(memory.holding(1).parcel(Kind.REPLY))


def test_what_was_not_received_is_handed_over() -> None:
    """What was written is in the ledger, what waits is seized; then the old connection writes only why it is closed."""

    async def story() -> None:
        socket, memory = Stuck(), Ledger()
        box, kept = Outbox(socket, None, 1, holding=memory.holding(1)), unacknowledged(memory)  # type: ignore[arg-type]
        box.tell(Pong())
        writing = asyncio.create_task(box.run())
        await asyncio.sleep(0)
        box.keep(kept)
        for message in (Sound("1.1", b"12"), Pong(), AudioResponse("1.2", bytes(LARGE_REPLY))):
            box.tell(message)
        assert (kept.first, kept.missing(0), box.unsent) == (1, [], 2)
        assert memory.bytes > LARGE_REPLY
        assert box.seize() == [Sound("1.1", b"12"), PONG, AudioResponse("1.2", bytes(LARGE_REPLY))]
        assert memory.bytes == 0
        box.tell(Pong())
        box.tell(Close(4410, "elsewhere"))
        socket.goes.set()
        await writing
        assert (socket.frames, socket.closes) == ([PONG], [4410])

    run(story())


def test_what_a_session_says_into_a_lost_line_waits() -> None:
    """Until it knows, and seizes it; what was begun to be written counts as written."""

    async def story() -> None:
        memory = Ledger()
        box, kept = Outbox(Gone(), None, 1), unacknowledged(memory)  # type: ignore[arg-type]
        box.keep(kept)
        for pcm in (b"12", b"34"):
            box.tell(Sound("1.1", pcm))
        await box.run()
        box.tell(Pong())
        assert kept.missing(0) == [Sound("1.1", b"12")]
        assert box.seize() == [Sound("1.1", b"34"), PONG]

    run(story())


def test_what_is_sent_again_is_counted_and_its_announcement_is_not() -> None:
    """A frame that was encoded once is passed on as it is; a `clear` takes back what was written of its reply."""

    async def story() -> None:
        socket = Stuck()
        socket.goes.set()
        box, kept = Outbox(socket, None, 1), unacknowledged(Ledger())  # type: ignore[arg-type]
        box.keep(kept)
        for message in (Resumed(1, 0, 0, 300), Encoded(PONG), Sound("1.1", b"12")):
            box.tell(message)
        writing = asyncio.create_task(box.run())
        await until(lambda: len(socket.frames) == 3)
        assert (box.written, kept.missing(0)) == (2, [PONG, Sound("1.1", b"12")])
        box.tell(Clear("1.1"))
        assert kept.missing(0) == [PONG]
        box.tell(Close(1000, "over"))
        await writing

    run(story())


def test_what_was_dropped_for_a_slow_reader_cannot_be_whole() -> None:
    """A caller who comes back after that begins anew."""

    async def story() -> None:
        box, kept = Outbox(Stuck(), None, 1, ClientLimits(text=100)), unacknowledged(Ledger())  # type: ignore[arg-type]
        box.keep(kept)
        box.tell(Error("busy", "x" * 200))
        assert kept.lost
        assert box.seize() == []
        assert list(box._waiting) == [TOO_SLOW]  # they are told why, though the session is quicker than the network

    run(story())


class InParts(Stuck):
    """A socket that takes a part of a message each time it `goes`."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds = list[WSMsgType]()

    async def send_part(self, part: bytes, kind: WSMsgType, *, last: bool) -> None:
        self.kinds.append(kind)
        await self.goes.wait()
        self.goes.clear()

    async def send_frame(self, data: bytes, kind: WSMsgType) -> None:
        self.kinds.append(kind)

    async def next(self) -> None:
        """The caller reads a part."""
        self.goes.set()
        await until(lambda: not self.goes.is_set())
        await asyncio.sleep(0)
        await asyncio.sleep(0)


TEXT, MORE, PING = WSMsgType.TEXT, WSMsgType.CONTINUATION, WSMsgType.PING


def test_a_ping_goes_between_two_parts_of_a_whole_reply() -> None:
    """On a slow line a reply takes a minute; what is said meanwhile comes after it."""

    async def story() -> None:
        socket = InParts()
        box: Any = Outbox(socket, None, 1)  # type: ignore[arg-type]
        writing = asyncio.create_task(box.run())
        for message in (AudioResponse("1.1", bytes(LARGE_REPLY)), Pong()):
            box.tell(message)
        await until(lambda: socket.kinds == [TEXT])
        box.ping()
        await socket.next()
        assert socket.kinds == [TEXT, PING, MORE]
        while socket.kinds[-1] == MORE:
            await socket.next()
        assert socket.kinds[-1] == TEXT
        box.tell(Close(1000, "over"))
        await writing

    run(story())


def test_the_rest_of_a_whole_reply_is_not_written_where_nobody_wants_it() -> None:
    """The caller goes on elsewhere, or reads too slowly: the close comes at once, in the middle of the reply."""

    async def story(elsewhere: bool) -> None:
        socket, session = InParts(), Probe()
        box: Any = Outbox(socket, None, 1, ClientLimits(text=3 * LARGE_REPLY))  # type: ignore[arg-type]
        box.tell(Admitted(session))  # type: ignore[arg-type]
        writing = asyncio.create_task(box.run())
        box.tell(AudioResponse("1.1", bytes(LARGE_REPLY)))
        await until(lambda: socket.kinds == [TEXT])
        if elsewhere:
            box.seize()
            box.tell(Close(4410, "elsewhere"))
        else:
            box.tell(AudioResponse("1.2", bytes(3 * LARGE_REPLY)))
        await socket.next()
        await writing
        assert (socket.kinds, socket.closes) == ([TEXT], [4410 if elsewhere else 4413])

    run(story(True))
    run(story(False))


def test_a_clear_takes_back_a_whole_reply_that_waits() -> None:
    """A minute of a slow line is not spent on what nobody wants to hear; what is being written goes on."""

    async def story() -> None:
        memory = Ledger()
        box: Any = Outbox(Stuck(), None, 1, holding=memory.holding(1))  # type: ignore[arg-type]
        for message in (AudioResponse("1.1", bytes(LARGE_REPLY)), Pong(), Clear("1.1")):
            box.tell(message)
        assert list(box._waiting) == [PONG, b'{"type":"clear","response_id":"1.1"}']
        assert memory.bytes == 0

    run(story())
