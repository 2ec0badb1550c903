"""Large messages and those in parts, beside aiohttp's own reader: the same is read, in the same order."""

from typing import Any

from aiohttp._websocket.helpers import websocket_mask
from aiohttp._websocket.reader import WebSocketReader
from hypothesis import example, given
from hypothesis import strategies as st

from actors.admission.waiting import LARGE, MIB
from actors.messages.caller import TooFast
from actors.testing.stage import Stage
from tests.kit.raw import BINARY, CLOSE, PING, TEXT, head
from tests.web.test_receive_buffer import Connection
from web.reassembly import MAX_FRAME

MASK = b"\x01\x80\x7f\xfe"
PARTS = (TEXT, BINARY, 0)


def frame(kind: int, size: int, last: bool = True, masked: bool = True) -> bytes:
    """A frame whose bytes tell their place."""
    content = bytearray((bytes(range(251)) * (size // 251 + 1))[:size])
    begins = head(size, kind, last)
    if not masked:
        return begins[:1] + bytes([begins[1] & 127]) + begins[2:-4] + content
    websocket_mask(MASK, content)
    return begins[:-4] + MASK + content


def read(line: Connection) -> list[Any]:
    """All that is whole, and how it ended, if it did."""
    came = list[Any]()
    while line._reader._buffer:
        try:
            line._reader.read().send(None)
        except StopIteration as got:
            came.append((got.value.type, got.value.data))
    if (error := line._reader.exception()) is not None:
        came.append((type(error), getattr(error, "code", 0)))
    return came


def both(data: bytes, piece: int, reads: bool) -> tuple[list[Any], list[Any]]:
    """What is read with us before aiohttp's reader, and without us; at once, or when as much came as is taken."""
    came = []
    with Stage() as stage:
        for alone in (False, True):
            line, got = Connection(), list[Any]()
            if alone:
                line.buffer.close()
                line.protocol._payload_parser = line._parser = WebSocketReader(
                    line._reader, MAX_FRAME, compress=False, decode_text=False
                )
            for at in range(0, len(data), piece):
                while line.protocol._reading_paused:
                    got += read(line)
                    stage.advance(0.01)
                over, _ = line.protocol._payload_parser.feed_data(data[at : at + piece])
                if over:
                    break
                got += read(line) if reads else []
            for _ in range(3):
                got += read(line)
                stage.advance(0.01)
            assert line.told == []
            if not alone:
                line.buffer.close()
            came.append(got)
    return came[0], came[1]


sizes = st.sampled_from([0, 1, 125, 126, 960, LARGE - 1, LARGE, LARGE + 1, 100_001, 300_000])
# aiohttp's reader has forgotten an unfinished frame that was empty: it takes another in its place, we answer 1002.
frames = st.builds(
    lambda kind, size, last, mask: frame(kind, size if last else max(1, size), last, mask),
    st.sampled_from([*PARTS, *PARTS, 3]),
    sizes,
    st.sampled_from([True, True, False]),
    st.booleans(),
)
controls = st.builds(frame, st.sampled_from([PING, CLOSE]), st.sampled_from([0, 4, 125]))
message = st.builds(
    lambda kind, parts, ping: b"".join(
        frame(kind if number == 0 else 0, size, number == len(parts) - 1) + (ping if number % 2 else b"")
        for number, size in enumerate(parts)
    ),
    st.sampled_from([TEXT, BINARY]),
    st.lists(sizes, min_size=1, max_size=5),
    st.sampled_from([b"", frame(PING, 4)]),
)
many = st.builds(lambda size, number: frame(BINARY, size) * number, st.sampled_from([20, 960]), st.integers(1, 900))


@given(
    st.lists(st.one_of(message, message, many, frames, controls), max_size=6),
    st.sampled_from([997, 4096, 32 * 1024, 2**18]),
    st.booleans(),
)
@example([frame(BINARY, 20) * 4500, frame(TEXT, 100_000), frame(BINARY, 20)], 2**18, False)  # the reader stands still
def test_the_same_is_read_in_the_same_order(come: list[bytes], piece: int, reads: bool) -> None:
    """Whatever comes, in whatever pieces; also what is no frame, after which nothing is read."""
    ours, theirs = both(b"".join(come), piece, reads)
    assert [kind for kind, _ in ours] == [kind for kind, _ in theirs]
    assert ours == theirs


def test_the_reader_is_not_given_what_is_large(stage: Stage) -> None:
    """Nor any part of a message: it would join and copy the whole when its last byte came."""
    line, given_bytes = Connection(), [0]
    feed = line._parser.feed_data

    def counted(data: bytes) -> tuple[bool, bytes]:
        given_bytes[0] += len(data)
        answer: tuple[bool, bytes] = feed(data)
        return answer

    line.buffer._feed = line.buffer._reassembler._feed_parser = counted
    small = frame(BINARY, 960)
    line.comes(small + frame(TEXT, 3 * MIB) + frame(TEXT, 1000, last=False) + frame(PING, 4))
    assert len(read(line)[1][1]) == 3 * MIB
    line.comes(frame(0, 100_000))
    assert [len(data) for _, data in read(line)] == [101_000]
    assert given_bytes[0] == len(small + frame(PING, 4))
    line.buffer.close()


def test_parts_may_not_hold_more_than_a_frame(stage: Stage) -> None:
    """1009, as one frame of that size."""
    line = Connection()
    for number in range(8):
        while line.protocol._reading_paused:
            read(line)
        line.comes(frame(0 if number else TEXT, MIB, last=False))
    assert read(line)[-1][1] == 1009
    line.buffer.close()


def test_so_many_parts_at_once_end_the_call(stage: Stage) -> None:
    """To look at each takes a while."""
    line = Connection()
    line.comes(frame(TEXT, 1, last=False) + frame(0, 1, last=False) * 1000)
    assert [type(message) for message in line.told] == [TooFast]
    assert line.ledger.bytes == 0


def test_so_many_frames_at_once_end_the_call(stage: Stage) -> None:
    """Also where they are whole."""
    line = Connection()
    line.comes(frame(BINARY, 0) * 6000, 2**18)
    assert [type(message) for message in line.told] == [TooFast]
    assert line.told[0] == TooFast(line.told[0].reason, 4400)  # type: ignore[union-attr]


def test_nothing_is_left_of_a_call_that_waits_for_the_reader(stage: Stage) -> None:
    """It stood still before something large."""
    line = Connection()
    line.comes(frame(BINARY, 20) * 4500 + frame(TEXT, 100_000), 2**18)
    assert line.buffer._reassembler.blocked
    line.buffer.close()
    assert line.ledger.bytes == 0
