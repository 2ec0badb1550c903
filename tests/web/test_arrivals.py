"""How much one address may have, and that nothing of it is remembered for long."""

import pytest

from actors.services import Limits
from web.arrivals import KEPT_SECONDS, Arrivals

LIMITS = Limits(address_connections=5, address_connects=10, address_questions=4)


def test_connections_that_are_open_are_bounded_and_come_back() -> None:
    """Of one address; another has its own."""
    arrivals = Arrivals(LIMITS)
    assert [arrivals.connect("a", 0.0) for _ in range(7)] == [True] * 5 + [False] * 2
    assert arrivals.connect("b", 0.0)
    arrivals.leave("a", 1.0)
    assert arrivals.connect("a", 1.0)
    assert not arrivals.enter("a", 1.0)


def test_new_connections_are_bounded_however_short_they_are() -> None:
    """Twice a second's at once, then a second's a second."""
    arrivals, came = Arrivals(LIMITS), 0
    for tick in range(1000):
        if arrivals.connect("a", tick / 100):
            came += 1
            arrivals.leave("a", tick / 100)
    assert 115 <= came <= 121


def test_calls_and_questions_have_bounds_of_their_own() -> None:
    """Questions come in larger heaps."""
    arrivals = Arrivals(LIMITS)
    assert sum(arrivals.call("a", 0.0) for _ in range(100)) in (19, 20)  # a sum of tenths
    assert sum(arrivals.ask("a", 0.0) for _ in range(100)) == 20
    assert sum(arrivals.ask("a", 1.0) for _ in range(100)) == 4


def test_no_address_can_use_up_the_calls_of_all() -> None:
    """Also where these are fewer than an address would be allowed; one call is always allowed."""
    for connects in (1, 4, 10, 50):
        arrivals = Arrivals(Limits(connects=connects))
        assert 1 <= sum(arrivals.call("a", 0.0) for _ in range(100)) <= max(1, connects // 2)


def test_an_address_that_left_is_forgotten() -> None:
    """Those with something open never are; the others go as new ones come."""
    arrivals = Arrivals(LIMITS)
    assert arrivals.connect("stays", 0.0)
    for number in range(1000):
        assert arrivals.connect(str(number), 0.0)
        arrivals.leave(str(number), 0.0)
    assert len(arrivals) == 1001
    for number in range(501):
        arrivals.ask("another", KEPT_SECONDS + number)
    assert len(arrivals) == 2
    arrivals.leave("stays", 1000.0)
    arrivals.ask("another", 1000.0 + KEPT_SECONDS)
    assert len(arrivals) == 1


@pytest.mark.thorough
def test_addresses_without_end_are_no_memory_without_end() -> None:
    """Who has nothing open is forgotten sooner when there are too many."""
    arrivals = Arrivals(LIMITS)
    for number in range(70_000):
        arrivals.ask(str(number), 0.0)
    assert len(arrivals) <= 65_536


def test_who_comes_again_and_again_is_not_forgotten_between() -> None:
    """Else a limit could be begun anew."""
    arrivals = Arrivals(LIMITS)
    for number in range(2000):
        arrivals.ask(f"other {number}", number / 100)
        arrivals.call("a", number / 100)
    assert not all(arrivals.call("a", 20.0) for _ in range(3))


def test_all_calls_of_an_address_keep_one_pace() -> None:
    """As long as one is open; others have their own."""
    arrivals = Arrivals(Limits(address_messages=100))
    assert arrivals.connect("a", 0.0)
    assert arrivals.connect("a", 0.0)
    assert arrivals.pace("a", 0.0) is arrivals.pace("a", 99.0)
    assert arrivals.pace("a", 99.0).owe(99.0, 200) > 0
    assert arrivals.pace("b", 99.0).owe(99.0, 100) == 0


def test_who_was_here_until_now_is_not_forgotten_for_having_come_long_ago() -> None:
    """What they did meanwhile counts: else a connection that is kept would begin each limit anew."""
    arrivals = Arrivals(LIMITS)
    assert arrivals.connect("a", 0.0)
    while arrivals.ask("a", 100.0):
        pass
    arrivals.leave("a", 100.0)
    arrivals.ask("another", 100.0)
    assert not arrivals.ask("a", 100.0)
