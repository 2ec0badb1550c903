"""All who are connected are counted, each once."""

from collections import Counter

from actors.services import Limits
from tests.kit.story import run
from web.crowd import Crowd


def test_so_many_may_be_in_and_who_left_makes_room_for_one() -> None:
    """However often it is said that they left."""

    async def story() -> None:
        refused = Counter[str]()
        crowd = Crowd(Limits(), refused, most=2)
        first, second = crowd.come("127.0.0.1"), crowd.come("192.0.2.1")
        assert first
        assert second
        assert not crowd.come("127.0.0.1")
        first.end()
        first.end()
        assert crowd.come("127.0.0.1")
        assert not crowd.come("192.0.2.1")
        second.end()
        second.end()
        assert crowd.come("192.0.2.1")
        assert refused == {"handles": 2}
        crowd.close()

    run(story())
