"""Whom to call: the data is sound, and a number is known when it is said."""

import datetime

import pytest

from care.helplines import ELSEWHERE, countries, names_one, numbers
from care.signs import KINDS

INDIA = numbers("IN", "suicide")


@pytest.mark.parametrize("country", [*countries(), ELSEWHERE, None, "ZZ", "in"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_danger_has_a_number_everywhere(country: str | None, kind: "KINDS") -> None:  # type: ignore[valid-type]
    """The first can be dialled, except for a directory; each says when and where it was looked up."""
    lines = numbers(country, kind)
    assert lines[0].number.replace(" ", "").replace("-", "").isdecimal()
    for line in lines:
        assert line.name
        assert line.source
        assert datetime.date.fromisoformat(line.day) >= datetime.date(2026, 11, 29)
        assert line.source.startswith("http") or not line.confirmed


def test_india_by_kind() -> None:
    """As docs/safety.md says."""
    said = {kind: [line.number for line in numbers("IN", kind)] for kind in KINDS}
    assert said == {
        "suicide": ["14416", "1-800-891-4416", "112"],
        "hurt": ["181", "14490", "1098", "112"],
        "medical": ["112"],
        "child": ["1098", "112"],
    }


def test_an_unknown_country_has_the_numbers_of_elsewhere() -> None:
    """112, which is not confirmed for it, and a directory."""
    assert numbers("ZZ", "suicide") == numbers(ELSEWHERE, "suicide")
    assert [(line.number, line.confirmed) for line in numbers(None, "suicide")] == [
        ("112", False),
        ("findahelpline.com", True),
    ]


def test_a_country_may_be_written_in_small_letters() -> None:
    """As some clients do."""
    assert numbers("in", "hurt") == numbers("IN", "hurt")


def test_a_voice_reads_digits() -> None:
    """Not fourteen thousand; and the name in its own letters."""
    assert INDIA[0].spoken == "1 4 4 1 6"
    assert numbers("ZZ", "suicide")[1].spoken == "findahelpline.com"
    assert INDIA[0].name_in("hi") == "टेली मानस"
    assert INDIA[0].name_in("fr") == "Tele-MANAS"


@pytest.mark.parametrize(
    "said", ["call 14416", "1-4-4-1-6", "one four four one six", "एक चार चार एक छह", "१४४१६", "on 112.", "वन वन टू"]
)
def test_a_number_is_known_however_it_is_said(said: str) -> None:
    """In digits or in words."""
    assert names_one(said, INDIA)


@pytest.mark.parametrize("said", ["", "call them now", "born on 1 4 1996", "144 and 16", "एक दो"])
def test_other_digits_are_not(said: str) -> None:
    """And nothing is where no number is looked for."""
    assert not names_one(said, INDIA)
    assert not names_one("112", ())
