"""Each limit, before it is reached, at it, and over it; in one period and in the next; for one call and for two."""

from collections.abc import Callable
from typing import Any

import pytest

from actors.budgets.limits import Budgets
from actors.budgets.spending import Low, Over, Spending
from actors.budgets.sums import Memory
from actors.testing.stage import Stage

HOUR = 3600.0
LIMITS = [
    "budget_call_tokens", "budget_call_usd", "budget_user_tokens", "budget_user_usd",
    "budget_hour_tokens", "budget_hour_usd", "budget_day_tokens", "budget_day_usd",
]  # fmt: skip
LASTS = {"user": 11.5 * HOUR, "hour": 0.5 * HOUR, "day": 11.5 * HOUR}  # from half past noon

Make = Callable[..., Spending]


@pytest.fixture
def make(stage: Stage) -> Make:
    """A Spending with these budgets, on the sums that are given."""

    def spending(sums: Memory | None = None, **budgets: Any) -> Spending:
        return Spending(Budgets(**budgets), sums or Memory(), stage.clock)

    return spending


def book(call: Any, hundredths: int) -> Low | Over | None:
    """So many hundredths of a limit of 100 tokens, and of a dollar."""
    standing: Low | Over | None = call.book(hundredths, hundredths * 10_000)
    return standing


def limits(name: str) -> dict[str, Any]:
    """A hundred tokens, or a dollar."""
    return {name: 100 if name.endswith("tokens") else 1.0}


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_before_at_and_over_it(make: Make, name: str) -> None:
    """A word at four fifths, the end at the limit, each once; the end without a word before where it comes at once."""
    for last in (1, 500):
        call = make(**limits(name)).call("one")
        assert book(call, 79) is None
        assert isinstance(book(call, 1), Low)
        assert book(call, 19) is None
        assert isinstance(book(call, last), Over)
        assert book(call, 1) is None
    assert isinstance(book(make(**limits(name)).call("one"), 101), Over)


@pytest.mark.parametrize("name", LIMITS)
def test_whom_a_limit_keeps_out_and_for_how_long(make: Make, stage: Stage, name: str) -> None:
    """Of a call nobody, of a user that user until midnight, of the server everybody until its hour or day is over."""
    stage.advance(HOUR / 2)
    spending, scope = make(**limits(name)), name.split("_")[1]
    book(spending.call("one"), 99)
    assert spending.refusal("one") is None
    book(spending.call("one"), 1)
    out = [spending.refusal(user) is not None for user in ("one", "two")]
    assert out == [scope != "call", scope in ("hour", "day")]
    assert spending.full() == (scope in ("hour", "day"))
    if scope in LASTS:
        stage.advance(LASTS[scope] - 1)
        assert spending.refusal("one")
        stage.advance(1)
        assert spending.refusal("one") is None


@pytest.mark.parametrize("name", ["budget_user_tokens", "budget_day_usd"])
def test_midnight(make: Make, stage: Stage, name: str) -> None:
    """A call that was told that little is left has a new day; what it spends from then on is of that."""
    spending = make(**limits(name))
    call = spending.call("one")
    stage.advance(12 * HOUR - 1)
    book(call, 99)
    stage.advance(1)
    assert book(call, 70) is None
    assert spending.refusal("one") is None
    assert isinstance(book(call, 30), Over)
    over = spending.refusal("one")
    assert over
    assert over.reason.endswith("is spent: call again after 00:00 UTC")


def test_the_day_of_a_time_zone(make: Make, stage: Stage) -> None:
    """Midnight in Kolkata is half past six in the evening."""
    spending = make(budget_user_tokens=100, day_zone="Asia/Kolkata")
    book(spending.call("one"), 100)
    stage.advance(6.5 * HOUR - 1)
    assert spending.refusal("one")
    stage.advance(1)
    assert spending.refusal("one") is None


def test_two_calls_of_one_user_share_a_day(make: Make) -> None:
    """Each ends when it comes to something the next time."""
    spending = make(budget_user_tokens=100)
    first, second, other = spending.call("one"), spending.call("one"), spending.call("two")
    assert book(first, 60) is None
    assert isinstance(book(second, 50), Over)
    assert isinstance(book(first, 1), Over)
    assert book(other, 60) is None


@pytest.mark.parametrize("name", LIMITS)
def test_a_restart_forgets_nothing_that_is_in_the_sums(make: Make, name: str) -> None:
    """But calls are over with their server, and what they have spent."""
    sums = Memory()
    book(make(sums, **limits(name)).call("one"), 90)
    again = book(make(sums, **limits(name)).call("one"), 10)
    assert again is None if "call" in name else isinstance(again, Over)


def test_what_is_reached_first_ends_the_call(make: Make) -> None:
    """And says which it was; each is counted by its name."""
    spending = make(budget_call_tokens=100, budget_call_usd=0.5, budget_day_usd=5)
    assert book(spending.call("one"), 60) == Over("what this call may cost is spent")
    assert spending.stopped == {"call_usd": 1}
    assert spending.shares() == {"day_usd": 0.12}
    spending.call("one").book(0, 5_000_000)
    assert spending.full()
    assert spending.refusal("two") == Over("what this server may spend in a day is spent: call again after 00:00 UTC")
    assert spending.stopped == {"call_usd": 2, "day_usd": 1}


def test_without_budgets_nothing_is_remembered(make: Make) -> None:
    """The sums stay empty."""
    sums = Memory()
    assert book(make(sums).call("one"), 10**9) is None
    assert sums.periods == []
