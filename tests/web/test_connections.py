"""All who are connected are counted, each once."""

from collections import Counter

from actors.services import Limits
from tests.kit.story import run
from web.connections import ConnectionLease, Connections


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


def test_the_oldest_that_asks_nothing_is_dropped_for_a_new_one() -> None:
    """Who has asked stays, and so does who has no limit; who left is not dropped."""

    async def story() -> None:
        refused, dropped = Counter[str](), list[str]()
        connections = Connections(Limits(), refused, most=6)

        def come(name: str, peer: str) -> ConnectionLease:
            lease = connections.admit(peer)
            assert lease
            lease.drop = lambda: dropped.append(name)
            return lease

        asked, left, silent = (come(name, f"192.0.2.{n}") for n, name in enumerate(("asked", "left", "silent")))
        come("ours", "127.0.0.1")
        asked.asked()
        left.release()
        assert len(connections.half_open) == 1
        come("second", "192.0.2.4")
        come("third", "192.0.2.5")
        assert dropped == []
        silent_again = come("fourth", "192.0.2.6")
        assert dropped == ["silent"]
        silent.release()
        silent_again.asked()
        assert len(connections.half_open) == 2
        assert refused == {"half_open": 1}
        connections.close()

    run(story())
