"""The bit-sliced tally, compared with a counter for each persona."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from personas.search.scoring import Tally

GIFTS = st.lists(st.tuples(st.sets(st.integers(0, 70)), st.integers(0, 9)), max_size=12)


@given(GIFTS, st.sets(st.integers(0, 70)))
def test_everybody_has_the_sum_of_what_was_given(gifts: list[tuple[set[int], int]], among: set[int]) -> None:
    """Ranked by points, then by number; without those that have no points, or are not in the set."""
    scoring, sums = Tally(), Counter[int]()
    for people, points in gifts:
        scoring.add(sum(1 << number for number in people), points)
        sums.update(dict.fromkeys(people, points))
    some = {number: points for number, points in sums.items() if points}
    ranked = sorted(some.items(), key=lambda one: (-one[1], one[0]))
    assert list(scoring.ranked((1 << 71) - 1)) == ranked
    assert list(scoring.ranked(sum(1 << number for number in among))) == [one for one in ranked if one[0] in among]
    assert scoring.with_points() == sum(1 << number for number in some)
