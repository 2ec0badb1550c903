"""The caller's profile: checked, given to the model as data, and not logged."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas import Profile
from schemas import Refused

TODAY = datetime.date(2026, 11, 22)
WHOLE = {
    "name": "रवि  Kumar",
    "gender": "male",
    "birth_date": "1990-05-31",
    "birth_time": "07:45",
    "birth_place": "Pune, Maharashtra",
    "country": "IN",
}


def test_a_whole_profile_is_six_lines() -> None:
    """Each thing has its label; blanks are one space."""
    assert Profile.read(WHOLE, today=TODAY).lines() == (
        "Name: रवि Kumar\nGender: male\nBirth date: 1990-05-31\nBirth time: 07:45\nBirth place: Pune, Maharashtra\n"
        "Country: IN"
    )


def test_everything_may_be_left_out() -> None:
    """A field that is missing or null gives no line."""
    assert Profile.read({}, today=TODAY).lines() == ""
    assert Profile.read({"name": None, "gender": "f"}, today=TODAY).lines() == "Gender: f"


@pytest.mark.parametrize("blank", ["", "  "])
def test_empty_text_is_as_left_out(blank: str) -> None:
    """A form whose fields were left empty sends them so; a name that is no field is still a fault."""
    assert Profile.read(dict.fromkeys(WHOLE, blank), today=TODAY) == Profile()
    with pytest.raises(Refused, match="not a known field"):
        Profile.read({"birthdate": blank}, today=TODAY)


@pytest.mark.parametrize("time", ["07:45:00", "07:45:59", "07:45:00.0000000", " 07:45 "])
def test_seconds_of_the_time_of_birth_are_left_out(time: str) -> None:
    """Inputs with a step, and the times of databases, have them."""
    assert Profile.read({"birth_time": time}, today=TODAY).birth_time == "07:45"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("birth_date", "2026-11-23", "must lie between 1900-01-01 and today."),
        ("birth_date", "1899-12-31", "must lie between 1900-01-01 and today."),
        ("birth_date", "2025-02-29", "must be a day that exists"),
        ("birth_date", "31.05.1990", "must be a day that exists"),
        ("birth_date", "19900531", "must be a day that exists"),
        ("birth_date", "१९९०-05-31", "must be a day that exists"),
        ("country", "ZZ", "must be a country in two letters"),
        ("country", "India", "must be a country in two letters"),
        ("birth_time", "24:00", "must be a time of the day"),
        ("birth_time", "6:15", "must be a time of the day"),
        ("birth_time", "07:45:60", "must be a time of the day"),
        ("birth_time", "07:45:00Z", "must be a time of the day"),
        ("name", "x" * 81, "must have at most 80 characters."),
        ("name", "Ravi\n# Conduct", "must be one line"),
        ("name", "Ravi\u2028x", "must be one line"),
        ("name", "Ravi\u202e", "must be one line"),
        ("birth_place", 7, "must be text."),
        ("user_id", "user-1", "is not a known field."),
        ("brith_date", "1990-05-31", "is not a known field. Did you mean 'birth_date'?"),
    ],
)
def test_a_wrong_thing_is_refused_without_its_value(name: str, value: object, says: str) -> None:
    """The refusal names the field and what it must be, never its value."""
    with pytest.raises(Refused) as refused:
        Profile.read({**WHOLE, name: value}, today=TODAY)
    assert refused.value.code == "bad_message"
    assert f"{name} {says}" in refused.value.message
    assert str(value) not in refused.value.message.replace(name, "")


def test_of_thousands_of_wrong_things_a_few_are_told() -> None:
    """A frame may have thousands of unknown fields; to list all would block the event loop."""
    with pytest.raises(Refused) as refused:
        Profile.read({f"nam{number}": "x" for number in range(5000)}, today=TODAY)
    assert refused.value.message.count("is not a known field.") == 8


@pytest.mark.parametrize("day", ["1900-01-01", "2026-11-22", "2024-02-29"])
def test_the_first_and_the_last_day_are_days(day: str) -> None:
    """From 1900 to today, leap days too."""
    assert Profile.read({"birth_date": day}, today=TODAY).birth_date == day


def test_every_fault_is_told_at_once() -> None:
    """Two wrong things, one answer."""
    with pytest.raises(Refused, match=r"birth_date must.*birth_time must"):
        Profile.read({"birth_date": "x", "birth_time": "y"}, today=TODAY)


def test_a_log_line_holds_nothing_told() -> None:
    """The repr contains no value and no part of one."""
    profile = Profile.read(WHOLE, today=TODAY)
    fields = "name, gender, birth_date, birth_time, birth_place, country"
    assert repr(profile) == str(profile) == f"{profile}" == f"Profile({fields})"


@given(st.dictionaries(st.sampled_from(list(WHOLE)), st.text(max_size=120), max_size=5))
def test_whatever_is_told_is_refused_or_one_line_each(told: dict[str, str]) -> None:
    """No text becomes more than one labelled line."""
    try:
        lines = Profile.read(told, today=TODAY).lines().splitlines()
    except Refused:
        return
    assert len(lines) <= len(told)
    labels = ("Name", "Gender", "Birth date", "Birth time", "Birth place")
    assert all(line.partition(": ")[0] in labels for line in lines)
