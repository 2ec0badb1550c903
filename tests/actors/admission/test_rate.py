"""How fast a caller may speak, and how often something may happen."""

import pytest

from actors.admission.rate import Rate, Window


@pytest.mark.parametrize(
    ("every", "count", "taken"),
    [
        (0.0, 3000, 2000),  # all at once: the burst
        (1 / 50, 10_000, 10_000),  # audio frames of 20 ms
        (1 / 200, 10_000, 10_000),  # as fast as may be
        (1 / 400, 8000, 6000),  # twice as fast: the burst lasts for 4,000, then every second one
    ],
)
def test_a_rate_takes_what_is_sustained_and_a_burst(every: float, count: int, taken: int) -> None:
    """200 a second with a burst of 2,000."""
    rate = Rate(200, 2000)
    assert sum(rate.take(1000 + n * every) for n in range(count)) == pytest.approx(taken, abs=2)


@pytest.mark.parametrize("a_second", [0.001, 0.3, 7, 6000])
def test_a_burst_of_one_is_one_at_any_time(a_second: float) -> None:
    """The first is taken, and the second is not, however the sums of times are rounded."""
    for number in range(1000):
        now, rate = 5000 + number * 0.123456789, Rate(a_second, 1)
        assert rate.wait(now) == 0
        assert rate.take(now)
        assert not rate.take(now)
        assert rate.wait(now) == pytest.approx(1 / a_second, abs=2e-6)


def test_a_rate_takes_several_at_once() -> None:
    """As many as there is room for, and what was not taken takes no room."""
    rate = Rate(200, 2000)
    assert rate.take(0, 1900)
    assert not rate.take(0, 200)
    assert rate.take(0, 90)
    assert rate.take(1, 200)


def test_a_rate_recovers() -> None:
    """Who was quiet may speak again, at most a burst."""
    rate = Rate(200, 2000)
    assert sum(rate.take(0) for _ in range(3000)) == pytest.approx(2000, abs=2)
    assert sum(rate.take(10) for _ in range(3000)) == pytest.approx(2000, abs=2)
    assert sum(rate.take(1000) for _ in range(3000)) == pytest.approx(2000, abs=2)


def test_what_came_too_fast_is_waited_for() -> None:
    """Nothing is refused: each who comes waits behind those before."""
    rate = Rate(200, 400)
    assert rate.owe(0, 400) == 0
    assert rate.owe(0, 20) == pytest.approx(0.1, abs=2e-6)
    assert rate.owe(0, 20) == pytest.approx(0.2, abs=2e-6)
    assert rate.owe(0.2, 20) == pytest.approx(0.1, abs=2e-6)
    assert rate.owe(10, 400) == 0


def test_a_window_holds_for_any_span_and_tells_the_wait() -> None:
    """Not only for spans that begin with the first event; what was not let through does not count."""
    window = Window(3, 60)
    assert [window.take(now) for now in (0, 50, 55, 59.5, 60, 61)] == [True, True, True, False, True, False]
    assert window.wait(100) == 10
    assert window.wait(109.5) == 0.5
    assert window.wait(110) == 0


def test_a_window_counts_by_key_and_in_all() -> None:
    """What is forgotten makes room."""
    window = Window(2, 10)
    window.count(0, "a")
    window.count(4, "b")
    assert (window.wait(5, "a"), window.wait(5, "b"), window.wait(5, "c"), window.wait(5)) == (0, 0, 0, 5)
    window.count(5, "a")
    assert (window.wait(6, "a"), window.wait(6)) == (4, 8)
    window.forget("a")
    assert (window.wait(6, "a"), window.wait(6)) == (0, 0)


def test_a_window_that_was_overrun_waits_until_there_is_room() -> None:
    """Who counts without asking may count more than may come: the newest of them decide."""
    window = Window(2, 10)
    for now in (0, 1, 2, 3):
        window.count(now)
    assert window.wait(3) == 9
    assert window.wait(12) == 0
