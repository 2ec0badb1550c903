"""What comes twice counts once, and what only looks so counts."""

from realtime.client.event_ids import REMEMBERED, EventIds


def test_an_event_is_known_when_it_comes_again() -> None:
    """With the same id and the same bytes, REMEMBERED events later at most."""
    ids = EventIds()
    assert not ids.came_before("a", b"{}")
    assert not any(ids.came_before(str(number), b"{}") for number in range(REMEMBERED - 1))
    assert ids.came_before("a", b"{}")
    assert ids.came_before("a", b"{}")


def test_what_came_long_ago_is_forgotten() -> None:
    """Whether the events since then had ids or not."""
    for other in ("{}", ""):
        ids = EventIds()
        ids.came_before("a", b"{}")
        for number in range(REMEMBERED):
            ids.came_before(other and str(number), b"{}")
        assert not ids.came_before("a", b"{}")


def test_an_id_that_comes_with_other_bytes_tells_nothing() -> None:
    """Not even that the same bytes came before: two pieces of silence are the same."""
    ids = EventIds()
    frames = [b"created", b"updated", b"silence", b"silence", b"done", b"done"]
    assert not any(ids.came_before("event_1", frame) for frame in frames)


def test_a_long_frame_is_known_too() -> None:
    """Audio of the same length with the same id is other audio, also where it begins and ends with the same silence."""
    ids, silence = EventIds(), bytes(4000)
    frame, other = (silence + bytes([sample]) * 200 + silence for sample in (1, 2))
    ids.came_before("a", frame)
    assert ids.came_before("a", bytes(bytearray(frame)))
    assert not ids.came_before("a", other)


def test_events_without_ids_never_came_before() -> None:
    """Of those nothing is known."""
    ids = EventIds()
    assert not any(ids.came_before("", b"{}") for _ in range(3))
