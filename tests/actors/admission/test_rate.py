"""How fast a caller may speak."""

import pytest

from actors.admission.rate import Rate


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
    assert rate.owe(0, 20) == pytest.approx(0.1)
    assert rate.owe(0, 20) == pytest.approx(0.2)
    assert rate.owe(0.2, 20) == pytest.approx(0.1)
    assert rate.owe(10, 400) == 0
