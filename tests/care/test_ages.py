"""Who is grown up where, and what is known of an age."""

import datetime
import json
from importlib.resources import files

import pytest

from care.ages import LEAST, Age, adult_at, age_of, age_on, agreed, highest

DATA = json.loads(files("care").joinpath("ages.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("born", "today", "years"),
    [
        ("2008-11-30", "2026-11-29", 17),
        ("2008-11-30", "2026-11-30", 18),
        ("2008-02-29", "2026-02-28", 17),
        ("2008-02-29", "2026-03-01", 18),
        ("2026-11-30", "2026-11-30", 0),
    ],
)
def test_an_age_is_in_whole_years(born: str, today: str, years: int) -> None:
    """A birthday counts from its morning on; that of a 29 February comes on 1 March."""
    assert age_on(datetime.date.fromisoformat(born), datetime.date.fromisoformat(today)) == years


def test_of_an_age_no_more_is_kept_than_is_needed() -> None:
    """A child of nine and one of sixteen are the same, and so are all who are grown up everywhere."""
    assert age_of(9) == age_of(17) == Age(0, LEAST)
    assert age_of(19) == Age(19, 20)
    assert age_of(highest()) == age_of(80)


@pytest.mark.parametrize(
    ("age", "adult", "minor"),
    [
        (Age(under=18), 18, True),
        (Age(least=18), 18, False),
        (Age(least=18), 19, None),
        (Age(under=21), 18, None),
        (Age(18, 19), 19, True),
        (Age(16), 18, None),
        (Age(), 18, None),
    ],
)
def test_a_minor_is_who_is_surely_younger(age: Age, adult: int, minor: bool | None) -> None:
    """Where a login says too little, that is not known."""
    assert age.minor(adult) is minor


def test_where_it_was_said_twice_the_youngest_counts() -> None:
    """What agrees is put together; of what does not, the older one counts for nothing."""
    assert agreed([]) is None
    assert agreed([Age(least=16), Age(under=18)]) == Age(16, 18)
    assert agreed([Age(least=18), Age(least=21)]) == Age(21)
    assert agreed([age_of(40), age_of(16)]) == Age(0, 18)
    assert agreed([Age(least=18), Age(under=18)]) == Age(0, 18)


def test_an_age_is_never_written_out() -> None:
    """Its repr may stand in a log."""
    assert repr(age_of(16)) == "Age(...)"


def test_countries_have_an_age_of_their_own() -> None:
    """In any spelling of the code; whoever is nowhere known is grown up at 18."""
    assert [adult_at(code) for code in ("IN", "ca", "SG", "XX", "", None)] == [18, 19, 21, 18, 18, 18]


def test_every_age_has_a_source_and_a_day() -> None:
    """And nobody is grown up below 18."""
    assert datetime.date.fromisoformat(DATA["day"]) <= datetime.date.today()
    for row in DATA["countries"].values():
        assert row["adult"] >= LEAST
        assert row["source"]
        assert isinstance(row["confirmed"], bool)
