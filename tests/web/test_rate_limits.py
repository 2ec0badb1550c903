"""How much one address may have, and that nothing of it is remembered for long."""

import pytest

from actors.services import Limits
from web.rate_limits import KEPT_SECONDS, AddressLimits

LIMITS = Limits(address_connections=5, address_connects=10, address_questions=4)


def test_connections_that_are_open_are_bounded_and_come_back() -> None:
    """Of one address; another has its own."""
    addresses = AddressLimits(LIMITS)
    assert [addresses.connect("a", 0.0) for _ in range(7)] == [True] * 5 + [False] * 2
    assert addresses.connect("b", 0.0)
    addresses.disconnect("a", 1.0)
    assert addresses.connect("a", 1.0)
    assert not addresses.open("a", 1.0)


def test_new_connections_are_bounded_however_short_they_are() -> None:
    """Twice a second's at once, then a second's a second."""
    addresses, came = AddressLimits(LIMITS), 0
    for tick in range(1000):
        if addresses.connect("a", tick / 100):
            came += 1
            addresses.disconnect("a", tick / 100)
    assert 115 <= came <= 121


def test_calls_and_questions_have_bounds_of_their_own() -> None:
    """Questions come in larger heaps."""
    addresses = AddressLimits(LIMITS)
    assert sum(addresses.may_call("a", 0.0) for _ in range(100)) in (19, 20)  # a sum of tenths
    assert sum(addresses.may_request("a", 0.0) for _ in range(100)) == 20
    assert sum(addresses.may_request("a", 1.0) for _ in range(100)) == 4
    assert sum(addresses.may_resume("a", 0.0) for _ in range(1000)) in (199, 200)  # five for each call, of four seconds
    assert sum(addresses.may_resume("a", 1.0) for _ in range(1000)) in (49, 50, 51)


def test_all_callers_of_an_address_may_come_back_at_once() -> None:
    """200 within two seconds, at the defaults; whoever guesses tokens all day has fifty guesses a second."""
    addresses = AddressLimits(Limits())
    assert all(addresses.may_resume("a", number / 100) for number in range(200))
    tried = sum(addresses.may_resume("b", tick / 1000) for tick in range(100_000))
    assert tried <= 200 + 100 * 50
    assert addresses.may_resume("c", 100.0)


def test_calls_of_a_minute_are_bounded_and_the_wait_is_true() -> None:
    """However evenly they come: half of a minute's at once, then one a second; who waits as told is let in."""
    addresses = AddressLimits(Limits(address_minute=60))
    came = [tick / 10 for tick in range(36_000) if addresses.may_call("a", tick / 10)]
    assert 3600 <= len(came) <= 3631
    assert sum(at < 60 for at in came) <= 91
    while addresses.may_call("a", 3600.0):
        pass
    wait = addresses.call_wait("a", 3600.0)
    assert 0 < wait <= 1
    assert not addresses.may_call("a", 3600.0 + wait * 0.9)
    assert addresses.may_call("a", 3600.0 + wait + 0.001)
    assert addresses.call_wait("b", 0.0) == 0


def test_no_address_can_use_up_the_calls_of_all() -> None:
    """Also where these are fewer than an address would be allowed; one call is always allowed."""
    for connects in (1, 4, 10, 50):
        addresses = AddressLimits(Limits(connects=connects))
        assert 1 <= sum(addresses.may_call("a", 0.0) for _ in range(100)) <= max(1, connects // 2)


def test_an_address_that_left_is_forgotten() -> None:
    """Those with something open never are; the others go as new ones come."""
    addresses = AddressLimits(LIMITS)
    assert addresses.connect("stays", 0.0)
    for number in range(1000):
        assert addresses.connect(str(number), 0.0)
        addresses.disconnect(str(number), 0.0)
    assert len(addresses) == 1001
    for number in range(501):
        addresses.may_request("another", KEPT_SECONDS + number)
    assert len(addresses) == 2
    addresses.disconnect("stays", 1000.0)
    addresses.may_request("another", 1000.0 + KEPT_SECONDS)
    assert len(addresses) == 1


@pytest.mark.thorough
def test_addresses_without_end_are_no_memory_without_end() -> None:
    """Who has nothing open is forgotten sooner when there are too many."""
    addresses = AddressLimits(LIMITS)
    for number in range(70_000):
        addresses.may_request(str(number), 0.0)
    assert len(addresses) <= 65_536


def test_who_comes_again_and_again_is_not_forgotten_between() -> None:
    """Else a limit could be begun anew."""
    addresses = AddressLimits(LIMITS)
    for number in range(2000):
        addresses.may_request(f"other {number}", number / 100)
        addresses.may_call("a", number / 100)
    assert not all(addresses.may_call("a", 20.0) for _ in range(3))


def test_all_calls_of_an_address_keep_one_pace() -> None:
    """As long as one is open; others have their own."""
    addresses = AddressLimits(Limits(address_messages=100))
    assert addresses.connect("a", 0.0)
    assert addresses.connect("a", 0.0)
    assert addresses.message_rate("a", 0.0) is addresses.message_rate("a", 99.0)
    assert addresses.message_rate("a", 99.0).owe(99.0, 200) > 0
    assert addresses.message_rate("b", 99.0).owe(99.0, 100) == 0


def test_who_was_here_until_now_is_not_forgotten_for_having_come_long_ago() -> None:
    """What they did meanwhile counts: else a connection that is kept would begin each limit anew."""
    addresses = AddressLimits(LIMITS)
    assert addresses.connect("a", 0.0)
    while addresses.may_request("a", 100.0):
        pass
    addresses.disconnect("a", 100.0)
    addresses.may_request("another", 100.0)
    assert not addresses.may_request("a", 100.0)
