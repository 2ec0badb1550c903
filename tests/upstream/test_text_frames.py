"""The frames that we write ourselves, read by the library's own server."""

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from upstream import text_frames as ours
from upstream.text_frames import text_frames


def read(data: bytes) -> list[bytes]:
    """The texts in it; AssertionError if the library finds anything wrong."""
    server = ServerProtocol(state=State.OPEN, max_size=None)
    server.receive_data(data)
    events = server.events_received()
    assert server.parser_exc is None
    assert all(isinstance(event, Frame) and event.opcode is Opcode.TEXT and event.fin for event in events)
    return [bytes(event.data) for event in events if isinstance(event, Frame)]


@given(st.lists(st.sampled_from([0, 1, 125, 126, 127, 1335, 65_535, 65_536, 70_000]), max_size=5))
def test_the_library_reads_what_we_write(sizes: list[int]) -> None:
    """Of every length, one behind the other."""
    texts = [(b"0123456789abc" * (size // 13 + 1))[:size] for size in sizes]
    assert read(text_frames(texts)) == texts


def test_no_mask_key_comes_twice() -> None:
    """Also where the pool is filled again: as far as chance allows."""
    keys = [text_frames([b"\0\0\0\0"])[2:6] for _ in range(3 * ours.KEYS)]
    assert len(set(keys)) > len(keys) - 5
