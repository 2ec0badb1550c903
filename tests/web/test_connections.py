"""All who are connected are counted, each once."""

from collections import Counter

from actors.services import Limits
from tests.kit.story import run
from web.connections import Connections


def test_so_many_may_be_in_and_who_left_makes_room_for_one() -> None:
    """However often it is said that they left."""

    async def story() -> None:
        refused = Counter[str]()
        connections = Connections(Limits(), refused, most=2)
        first, second = connections.admit("127.0.0.1"), connections.admit("192.0.2.1")
        assert first
        assert second
        assert not connections.admit("127.0.0.1")
        first.release()
        first.release()
        assert connections.admit("127.0.0.1")
        assert not connections.admit("192.0.2.1")
        second.release()
        second.release()
        assert connections.admit("192.0.2.1")
        assert refused == {"handles": 2}
        connections.close()

    run(story())
