"""A dictionary whose values lapse."""

from register.lapsing import LEAST_SWEPT, Lapsing


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_value_is_there_until_its_time_is_over() -> None:
    """Another value of the same key has a time of its own, unless it is a change."""
    clock = Hand()
    kept = Lapsing[str, int](clock)
    kept.put("a", 1, 10.0)
    kept.put("b", 1, 5.0)
    kept.change("b", 2)
    clock.now = 4.9
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (1, 2, None)
    kept.put("a", 3, 10.0)
    clock.now = 5.0
    assert (list(kept), kept.get("b")) == (["a"], None)
    kept.drop("a")
    kept.drop("a")
    assert list(kept) == []


def test_what_has_lapsed_is_swept() -> None:
    """So that a server that runs for a year does not keep a year."""
    clock = Hand()
    kept = Lapsing[int, int](clock)
    for number in range(20 * LEAST_SWEPT):
        clock.now += 1.0
        kept.put(number, number, 100.0)
    assert len(kept._kept) < 2 * LEAST_SWEPT
    assert list(kept) == list(range(20 * LEAST_SWEPT - 100, 20 * LEAST_SWEPT))
