"""What comes twice counts once."""

from realtime.client.event_ids import REMEMBERED, EventIds


def test_an_id_is_known_when_it_comes_again() -> None:
    """At least REMEMBERED ids later."""
    ids = EventIds()
    assert not ids.came_before("a")
    assert not any(ids.came_before(str(number)) for number in range(REMEMBERED - 1))
    assert ids.came_before("a")


def test_what_is_remembered_is_bounded() -> None:
    """An id is forgotten after twice as many."""
    ids = EventIds()
    ids.came_before("a")
    for number in range(2 * REMEMBERED):
        ids.came_before(str(number))
    assert not ids.came_before("a")
