"""What is counted of the frames that nobody has read, with aiohttp's own reader, on the stage's clock."""

import asyncio
from typing import Any

import pytest
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader
from hypothesis import given
from hypothesis import strategies as st

from actors.admission.rate import Rate
from actors.admission.waiting import LARGE, MIB, Ledger
from actors.messages.caller import FromCaller, TooFast
from actors.testing.stage import Stage
from tests.kit.raw import BINARY, PING, TEXT, head
from web.client_limits import ClientLimits
from web.receive_buffer import ReceiveBuffer

PIECE = 32 * 1024


class Transport:
    """Whether it is read from."""

    paused = False

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class Protocol:
    """aiohttp's, as its queue and we know it."""

    def __init__(self) -> None:
        self._reading_paused = False
        self._payload_parser: Any = None
        self.transport = Transport()

    def pause_reading(self) -> None:
        self._reading_paused = True

    def resume_reading(self) -> None:
        self._reading_paused = False


class Connection:
    """A caller's: what comes on it, what was read of it, and what the session is told."""

    def __init__(self, ledger: Ledger | None = None, caller: int = 1, rate: Rate | None = None) -> None:
        self.ledger = ledger or Ledger()
        self.protocol, self.told = Protocol(), list[FromCaller]()
        loop = asyncio.get_running_loop()
        self._reader = WebSocketDataQueue(self.protocol, 2**18, loop=loop)  # type: ignore[arg-type]
        self._parser: Any = WebSocketReader(self._reader, 8 * MIB, compress=False, decode_text=False)
        self.protocol._payload_parser = self._parser
        self.buffer = ReceiveBuffer(
            self, self.protocol, self.ledger.holding(caller), ClientLimits(), rate or Rate(1e12, 1e12)
        )
        self.buffer.report_to(self.told.append)

    def comes(self, data: bytes, piece: int = PIECE) -> None:
        """In pieces, as from a socket; while reading is paused nothing does."""
        for at in range(0, len(data), piece):
            if self.protocol._reading_paused or self.protocol.transport.paused:
                break
            self.protocol._payload_parser.feed_data(data[at : at + piece])

    def read(self) -> Any:
        """The next whole frame."""
        try:
            self._reader.read().send(None)
        except StopIteration as got:
            if len(got.value.data) > LARGE:
                self.buffer.frame_read()
            return got.value
        raise AssertionError("nothing is whole")


def test_small_frames_are_not_counted(stage: Stage) -> None:
    """However many there were."""
    line = Connection()
    for _ in range(3000):
        line.comes(head(960, BINARY) + bytes(960))
        line.read()
    assert (line.ledger.bytes, line.told) == (0, [])


def test_half_a_frame_counts_until_the_call_is_over(stage: Stage) -> None:
    """Within LARGE of what it holds; then nothing does, and what still comes is thrown away."""
    line = Connection()
    line.comes(head(960, BINARY) + bytes(960))
    line.read()
    line.comes(head(6 * MIB) + bytes(5 * MIB))
    assert 5 * MIB - LARGE <= line.ledger.bytes <= 5 * MIB + LARGE
    line.buffer.close()
    assert line.ledger.bytes == 0
    line.comes(bytes(MIB))
    assert line.ledger.bytes == 0


def test_what_was_whole_and_not_read_is_not_kept(stage: Stage) -> None:
    """The queue of aiohttp may outlive the call by a while."""
    line = Connection()
    line.comes(head(3 * MIB) + bytes(3 * MIB))
    assert len(line._reader._buffer) == 1
    line.buffer.close()
    assert not line._reader._buffer
    assert line.ledger.bytes == 0


@pytest.mark.parametrize("piece", [1000, PIECE, 2**18])
def test_a_whole_frame_counts_until_it_is_taken(stage: Stage, piece: int) -> None:
    """Then what came behind it does; nothing is read from the network meanwhile."""
    line = Connection()
    line.comes(head(3 * MIB) + bytes(3 * MIB), piece)
    assert 3 * MIB - LARGE <= line.ledger.bytes <= 3 * MIB + LARGE
    assert line.protocol._reading_paused
    assert len(line.read().data) == 3 * MIB
    assert line.ledger.bytes == 0
    line.comes(head(2 * MIB) + bytes(MIB), piece)
    assert MIB - LARGE <= line.ledger.bytes <= MIB + LARGE
    stage.advance(1)
    line.buffer.close()


def test_fragments_and_pings_hide_nothing(stage: Stage) -> None:
    """A message in many frames, with pings between them, is one that is still coming."""
    line = Connection()
    line.comes(head(1000, TEXT, last=False) + bytes(1000))
    for _ in range(2000):
        line.comes(head(1000, 0, last=False) + bytes(1000) + head(4, PING) + b"ping")
        line.read()
    assert 2000 * 1000 - LARGE <= line.ledger.bytes <= 2000 * 1014 + LARGE
    line.comes(head(1000, 0) + bytes(1000))
    assert len(line.read().data) == 2002 * 1000
    assert line.ledger.bytes <= 2 * LARGE
    line.buffer.close()


def test_a_large_frame_must_go_on(stage: Stage) -> None:
    """At the pace of the slowest line it may take its time; where it stands still for 15 s the call ends with 4413."""
    line = Connection()
    line.comes(head(2 * MIB) + bytes(200_000))
    for _ in range(60):
        stage.advance(1)
        line.comes(bytes(16_000))
    assert line.told == []
    stage.advance(14)
    assert line.told == []
    stage.advance(2)
    [told] = line.told
    assert isinstance(told, TooFast)
    assert (told.code, told.error) == (4413, "")
    assert line.ledger.bytes == 0


def test_a_large_frame_may_not_trickle(stage: Stage) -> None:
    """Some of it each second, but less than any line takes."""
    line = Connection()
    line.comes(head(2 * MIB) + bytes(200_000))
    for _ in range(60):
        stage.advance(1)
        line.comes(bytes(4000))
    assert [message.code for message in line.told if isinstance(message, TooFast)] == [4413]


def test_who_has_sent_a_whole_frame_may_be_silent(stage: Stage) -> None:
    """Also where it came in many small fragments, or waits because we do not read."""
    line = Connection()
    for _ in range(5):
        line.comes(head(1000, TEXT, last=False) + bytes(1000))
        for _ in range(2000):
            line.comes(head(1000, 0, last=False) + bytes(1000))
        line.comes(head(1000, 0) + bytes(1000))
        stage.advance(60)
        line.read()
    stage.advance(600)
    assert line.told == []
    line.buffer.close()


def test_a_burst_of_small_frames_may_be_followed_by_silence(stage: Stage) -> None:
    """More than is read at once: the reader stands still in the middle of a piece, and goes on by itself."""
    line = Connection()
    line.comes((head(960, BINARY) + bytes(960)) * 1000, 2**18)
    assert line.protocol._reading_paused
    while line._reader._size:
        line.read()
    stage.advance(600)
    assert line.told == []
    line.buffer.close()


def test_who_finds_no_room_is_told_busy_and_closed(stage: Stage) -> None:
    """The largest holder, and not who comes last."""
    ledger = Ledger(most=4 * MIB)
    large, small = Connection(ledger, 1), Connection(ledger, 2)
    large.comes(head(5 * MIB) + bytes(3 * MIB))
    small.comes(head(2 * MIB) + bytes(2 * MIB))
    assert large.told == [TooFast(large.told[0].reason, 4429, "busy")]  # type: ignore[union-attr]
    assert small.told == []
    assert len(small.read().data) == 2 * MIB
    assert ledger.bytes == 0
    large.comes(bytes(2 * MIB))
    assert ledger.bytes == 0
    small.buffer.close()


def test_who_is_refused_before_they_are_let_in_hears_of_it_then(stage: Stage) -> None:
    """The session is told as soon as there is one."""
    line = Connection(Ledger(most=MIB))
    line.buffer._report = None
    line.comes(head(5 * MIB) + bytes(3 * MIB))
    line.buffer.report_to(line.told.append)
    assert [type(message) for message in line.told] == [TooFast]


@given(
    st.lists(st.tuples(st.sampled_from([0, 4, 960, 70_000, 300_000, MIB]), st.booleans()), max_size=12),
    st.sampled_from([500, 4096, PIECE, 2**18]),
)
def test_what_is_held_is_what_is_counted(frames: list[tuple[int, bool]], piece: int) -> None:
    """Whatever comes in whatever pieces, and whether it is read at once or later; within two pieces, or LARGE."""
    with Stage():
        line = Connection()
        for size, reads in frames:
            line.comes(head(size, BINARY) + bytes(size), piece)
            while reads and line._reader._size:
                line.read()
            held = line._reader._size if line._reader._size > LARGE else 0
            assert abs(line.ledger.bytes - held) <= 2 * LARGE + 2 * piece or line.protocol._reading_paused
        while line._reader._size:
            line.read()
        assert line.ledger.bytes <= 2 * LARGE + 2 * piece
        assert line.told == []
        line.buffer.close()
        assert line.ledger.bytes == 0


def test_large_messages_are_read_at_the_rate_of_all(stage: Stage) -> None:
    """Whoever sends one waits while others send theirs; small frames are read at once."""
    rate = Rate(1e6, 1e5)
    first, second, small = (Connection(Ledger(), caller, rate) for caller in (1, 2, 3))
    for line in (first, second):
        line.comes(head(3 * MIB) + bytes(MIB))
        assert line.protocol.transport.paused
    small.comes(head(960, BINARY) + bytes(960))
    assert len(small.read().data) == 960
    assert not small.protocol.transport.paused
    stage.advance(1)
    for line in (first, second):
        assert not line.protocol.transport.paused
        line.buffer.close()


def test_a_pause_of_ours_does_not_end_a_full_one_of_the_queue(stage: Stage) -> None:
    """What is whole and unread holds the network back, also when the rate would let it in."""
    line = Connection(rate=Rate(1e6, 1e5))
    line.comes(head(3 * MIB) + bytes(3 * MIB), 4 * MIB)
    assert line.protocol._reading_paused
    assert line.protocol.transport.paused
    stage.advance(10)
    assert line.protocol.transport.paused
    line.buffer.close()
