"""What a token says of the age of its user."""

import datetime
from typing import Any

import pytest

from care.ages import Age
from web.auth import claims

TODAY = datetime.date(2026, 11, 30)
MINOR, GROWN = Age(0, 18), Age(21)


def age(**said: Any) -> Age | None:
    """The age by these claims."""
    return claims.read({"user": "u", **said}, today=TODAY).age


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ({}, None),
        ({"birthdate": None, "birth_date": "", "age_in_years": None, "age_over_18": None}, None),
        ({"birthdate": "2008-12-01"}, MINOR),
        ({"birthdate": "2008-11-30"}, Age(18, 19)),
        ({"birth_date": "1990-05-31"}, GROWN),
        ({"birthdate": "2008"}, MINOR),
        ({"birthdate": "2026"}, MINOR),
        ({"birthdate": "0000-05-31"}, None),
        ({"age_in_years": 17}, MINOR),
        ({"age_in_years": 44}, GROWN),
        ({"age_over_18": True}, Age(18)),
        ({"age_over_18": False}, MINOR),
        ({"age_over_16": True, "age_over_18": False}, Age(16, 18)),
        ({"age_over_18": True, "birthdate": "2012-01-01"}, MINOR),
        ({"age_over_eighteen": False, "age_over_180": False}, None),
    ],
)
def test_the_names_of_the_standards_are_read(said: dict[str, Any], known: Age | None) -> None:
    """Of OpenID Connect and of ISO 18013-5; a year alone ends on its last day, and the youngest counts."""
    assert age(**said) == known


@pytest.mark.parametrize(
    "said",
    [
        {"birthdate": "31/05/2012"},
        {"birthdate": 2012},
        {"birthdate": "2012-02-30"},
        {"birthdate": "2027-01-01"},
        {"birthdate": "2027"},
        {"birthdate": "1012-01-01"},
        {"birth_date": "2012"},
        {"age_in_years": "17"},
        {"age_in_years": -1},
        {"age_in_years": True},
        {"age_over_18": "yes"},
    ],
)
def test_what_cannot_be_read_is_refused_by_its_name_alone(said: dict[str, Any]) -> None:
    """A minor would else be taken for somebody of whom nothing is known; the words may be logged."""
    with pytest.raises(ValueError, match=next(iter(said))) as refused:
        age(**said)
    assert str(next(iter(said.values()))) not in str(refused.value).replace("1990-05-31", "")


@pytest.mark.parametrize("said", [{"birthdate": "2012-01-01"}, {"age_in_years": 19}, {"age_over_18": True}, {}])
def test_a_token_of_a_call_says_no_more_than_it_must(said: dict[str, Any]) -> None:
    """Whether its user is over or under so many years, and not when they were born."""
    identity = claims.read({"user": "u", **said}, today=TODAY)
    written = claims.write(identity)
    assert claims.read(written, today=TODAY) == identity
    assert not {"birthdate", "birth_date", "age_in_years"} & written.keys()
    assert "Age" not in repr(identity)
