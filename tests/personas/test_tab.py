"""Free seconds and begun minutes, which go by the day of a user."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas.pricing import Pricing
from personas.tab import OneDay

SECOND = 1000


def price(free: int = 0, *, minutes: bool = False) -> Pricing:
    """Six rupees a minute."""
    return Pricing(600, "INR", 2, free, minutes)


@pytest.mark.parametrize(
    ("pricing", "talks", "costs"),
    [
        (price(), [30, 30], [300, 300]),
        (price(60), [60], [0]),
        (price(60), [61], [10]),
        (price(60), [40, 40, 40], [0, 200, 400]),
        (price(minutes=True), [0, 1, 59, 1, 59], [0, 600, 0, 600, 0]),
        (price(30, minutes=True), [20, 20, 50, 1], [0, 600, 0, 600]),
        (price(60), [70, -20, 20, -70, 70], [100, -100, 100, -100, 100]),
        (price(minutes=True), [61, -1, 1, -61], [1200, -600, 600, -1200]),
        (price(60), [-10, 60], [0, 0]),
    ],
)
def test_several_calls_of_a_day_cost_as_much_as_one(pricing: Pricing, talks: list[int], costs: list[int]) -> None:
    """The free seconds come once, and a minute that was begun is talked to its end."""
    tab = OneDay()
    assert [tab.charge("tina", pricing, talk * SECOND, 0) for talk in talks] == costs


def test_seconds_that_were_talked_with_one_are_not_free_with_another() -> None:
    """Of the second persona's ninety, sixty are gone; begun minutes are each persona's own."""
    tab = OneDay()
    assert tab.charge("tina", price(60, minutes=True), 60 * SECOND, 0) == 0
    assert tab.charge("mohit", price(90), 60 * SECOND, 0) == 300
    assert tab.charge("tina", price(60, minutes=True), 1 * SECOND, 0) == 600
    assert tab.charge("meera", price(minutes=True), 1 * SECOND, 0) == 600


@given(st.lists(st.integers(0, 200_000), max_size=12), st.integers(0, 300), st.booleans(), st.integers(0, 5_000))
def test_however_often_it_is_charged(talks: list[int], free: int, minutes: bool, per_minute: int) -> None:
    """All together cost what they cost at once."""
    pricing = Pricing(per_minute, "INR", 2, free, minutes)
    several, once = OneDay(), OneDay()
    assert sum(several.charge("x", pricing, talk, 0) for talk in talks) == once.charge("x", pricing, sum(talks), 0)
    paid = max(0, sum(talks) - free * SECOND) // SECOND
    assert once.charge("y", pricing, 0, 0) == 0
    assert OneDay().charge("x", pricing, sum(talks), 0) == pricing.price_of(paid)


@given(st.lists(st.integers(-60_000, 100_000), max_size=12), st.integers(0, 300), st.booleans())
def test_what_is_taken_back_was_never_talked(talks: list[int], free: int, minutes: bool) -> None:
    """Whatever comes and goes: the day costs what is left of it, and never less than nothing."""
    pricing, tab, left = Pricing(700, "INR", 2, free, minutes), OneDay(), 0
    cost = 0
    for talk in talks:
        cost += tab.charge("x", pricing, talk, 0)
        left = max(0, left + talk)
        assert cost == OneDay().charge("x", pricing, left, 0)
