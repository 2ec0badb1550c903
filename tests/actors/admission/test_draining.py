"""When each call of a server that is about to end is told so."""

from itertools import pairwise

import pytest

from actors.admission.draining import CALL_SECONDS, DrainPlan


def times(calls: int, within: float) -> list[float]:
    """When each of so many calls is told, the oldest first, in seconds from now."""
    plan, now, told = DrainPlan(range(calls), within, 100.0), 100.0, list[float]()
    while True:
        due, wait = plan.due(now)
        assert due == list(range(len(told), len(told) + len(due)))
        told += [now - 100.0] * len(due)
        if wait is None:
            return told
        assert wait > 0
        now += wait


def test_a_call_goes_on_for_as_long_as_there_is_time() -> None:
    """Until it has just the time for a pause."""
    assert times(1, 60) == pytest.approx([60 - CALL_SECONDS])


def test_many_calls_do_not_end_in_one_moment() -> None:
    """Ten a second at most where there is time for it; the last is told in time; half of the time nobody is told."""
    told = times(200, 60)
    assert told[-1] == pytest.approx(50)
    assert told[0] == pytest.approx(30.1)
    assert min(b - a for a, b in pairwise(told)) == pytest.approx(0.1)
    many = times(5000, 60)
    assert many[0] == pytest.approx(25, abs=0.1)
    assert many[-1] == pytest.approx(50)


@pytest.mark.parametrize("within", [10, 3, 0])
def test_where_there_is_no_time_all_are_told_at_once(within: float) -> None:
    """And have all the time there is."""
    assert times(200, within) == [0] * 200
    assert DrainPlan([1], within, 0.0).call_seconds == within


def test_who_has_hung_up_leaves_their_time_to_others() -> None:
    """Nobody is told twice, and nobody who is gone."""
    plan = DrainPlan("abc", 60, 0.0)
    plan.ended("b")
    assert plan.due(0.0)[0] == plan.due(49.8)[0] == []
    assert plan.due(49.9)[0] == ["a"]
    assert plan.due(99.0) == (["c"], None)
    assert plan.due(99.0) == ([], None)


def test_nobody_is_there() -> None:
    """Then there is nothing to wait for."""
    assert DrainPlan((), 60, 0.0).due(0.0) == ([], None)
