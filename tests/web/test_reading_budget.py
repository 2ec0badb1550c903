"""The budget of a call that is read: what it counts, when it begins anew, and when it holds back."""

from types import SimpleNamespace

import pytest

from actors.admission.rate import Rate
from web import reading_budget
from web.reading_budget import MOST_UNHANDLED, PACE, PACE_AT_ONCE, READ_FRAMES, ReadingBudget, text_cost


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The time, which a test sets."""
    time = SimpleNamespace(now=100.0)
    monkeypatch.setattr(reading_budget, "time", SimpleNamespace(monotonic=lambda: time.now))
    return time


def tell(budget: ReadingBudget, frames: int = READ_FRAMES) -> None:
    """The session was told so much sound, and has handled it."""
    budget.told += frames
    budget.speech += frames


@pytest.mark.parametrize(("size", "frames"), [(15, 4), (1024, 5), (64 * 1024, 68), (512 * 1024, 132)])
def test_a_text_counts_as_what_it_costs(size: int, frames: int) -> None:
    """A ping counts as four frames of audio, the longest message as 68; of a clip the server reads little."""
    assert text_cost(size) == frames


def test_it_begins_anew_when_all_is_handled(clock: SimpleNamespace) -> None:
    """Before that no more is told."""
    budget = ReadingBudget(None)
    tell(budget, READ_FRAMES - 1)
    assert not budget.spent(READ_FRAMES - 1)
    tell(budget, 1)
    assert budget.spent(1)
    assert not budget.spent(0)
    tell(budget, READ_FRAMES)
    assert budget.spent(1)


def test_a_session_that_is_behind_is_told_no_more(clock: SimpleNamespace) -> None:
    """However little of the budget is used."""
    budget = ReadingBudget(None)
    assert not budget.spent(MOST_UNHANDLED - 1)
    assert budget.spent(MOST_UNHANDLED)


def test_a_call_over_its_pace_hurries_until_it_bears_it(clock: SimpleNamespace) -> None:
    """What it is told while it hurries counts as well."""
    budget = ReadingBudget(None)
    for _ in range(PACE_AT_ONCE // READ_FRAMES):
        tell(budget)
        assert not budget.spent(0)
    tell(budget)
    assert budget.spent(0)
    assert (budget.hurries, budget.holds_back) == (True, True)
    budget.renew()  # it had a turn
    assert not budget.holds_back
    tell(budget)
    assert budget.spent(0)
    clock.now += (READ_FRAMES + 1) / PACE
    budget.renew()
    tell(budget)
    assert not budget.spent(0)
    assert not budget.holds_back


def test_an_address_over_its_rate_is_held(clock: SimpleNamespace) -> None:
    """For as long as its calls have sent too much together; what was told is charged once."""
    rate = Rate(10 * READ_FRAMES, READ_FRAMES)
    one, other = ReadingBudget(rate), ReadingBudget(rate)
    tell(one)
    assert not one.spent(0)
    tell(other)
    assert other.spent(0)
    assert other.held == pytest.approx(0.1, abs=0.001)
    assert (other.hurries, other.holds_back) == (False, True)
    held = other.held
    other.charge()
    assert other.held == held
    other.renew()
    assert (other.held, other.spent(0)) == (0.0, False)
    tell(one)
    one.charge()
    assert one.held == pytest.approx(0.2, abs=0.001)


def test_who_speaks_is_known_by_what_was_told_since(clock: SimpleNamespace) -> None:
    """Of the sound before, READ_FRAMES count, so that they may say something more; of anything else nothing does."""
    budget = ReadingBudget(None)
    assert not budget.speaks()
    tell(budget, 1000)
    assert budget.speaks()
    budget.speech -= READ_FRAMES - 1
    assert budget.speaks()
    budget.speech -= 1
    assert not budget.speaks()
    budget.speech -= 1000
    assert not budget.speaks()
    tell(budget, 1)
    assert budget.speaks()
