"""The sentences for invalid values, and the suggestions for mistyped names."""

import pytest

from schemas.explain import first_of, nearest, shape_faults

IDS = ("priyanka_vedic_love", "harsh_dubey_vedic_love", "mohit_vedic_marriage")
ZONES = ("Asia/Kolkata", "Asia/Dubai", "CET", "EST", "Europe/Berlin", "Indian/Mahe", "Indian/Reunion", "MST", "UTC")
LANGUAGES = ("Chinese", "English", "Hindi", "Kongo", "Tamil", "Thai")


@pytest.mark.parametrize(
    ("word", "names", "meant"),
    [
        ("Hindee", LANGUAGES, "Hindi"),
        ("hinid", LANGUAGES, "Hindi"),
        ("TAMIL", LANGUAGES, "Tamil"),
        ("Inglish", LANGUAGES, "English"),
        ("Asia/Kolkotta", ZONES, "Asia/Kolkata"),
        ("kolkata", ZONES, "Asia/Kolkata"),
        ("Berlin", ZONES, "Europe/Berlin"),
        ("CEST", ZONES, "CET"),
        ("utc", ZONES, "UTC"),
        ("nht", ("do", "nth", "on"), "nth"),
        ("priyanka_vedik_love", IDS, "priyanka_vedic_love"),
        ("harsh", IDS, "harsh_dubey_vedic_love"),
        ("dubey", IDS, "harsh_dubey_vedic_love"),
        ("INX", ("INR", "IRR", "XNX"), "INR"),
    ],
)
def test_a_slip_or_a_part_is_who_was_meant(word: str, names: tuple[str, ...], meant: str) -> None:
    """A letter too many, too few, changed or swapped; a prefix, or a part, of exactly one name."""
    assert nearest(word, names) == f" Did you mean '{meant}'?"


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("IST", ZONES),
        ("AEST", ZONES),
        ("Asia/Mumbai", ZONES),
        ("India", ZONES),
        ("Klingon", LANGUAGES),
        ("hi", LANGUAGES),
        ("meera_vedic_love", IDS),
        ("vedic_love", IDS),
        ("", IDS),
    ],
)
def test_nobody_is_better_than_a_far_one(word: str, names: tuple[str, ...]) -> None:
    """No suggestion for a different beginning, for a short word, or for a part that two names share."""
    assert nearest(word, names) == ""


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"enum": ["a" * 1_000_000] * 200}, "b" * 1_000_000),
        ({"enum": [{"a": ["b"] * 1_000_000}]}, {"c": ["d"] * 1_000_000}),
        ({"const": ["b"] * 1_000_000}, None),
        ({"type": "string", "pattern": "a"}, "b" * 1_000_000),
        ({"type": "string", "maxLength": 3}, "b" * 1_000_000),
    ],
)
def test_no_sentence_is_long(schema: dict[str, object], value: object) -> None:
    """However long a value is, the sentence repeats only enough of it to recognise it."""
    ((path, said),) = shape_faults(schema, value)
    assert path == "$"
    assert len(said) < 3_500


def test_a_caller_is_told_eight_faults_and_whether_there_are_more() -> None:
    """Further faults are not searched for."""
    eight = [f"fault {number}." for number in range(8)]
    assert first_of(eight) == " ".join(eight)
    many = iter([*eight, "another.", "never looked at."])
    assert first_of(many) == " ".join(eight) + " And more: mend these first."
    assert list(many) == ["never looked at."]


def test_of_one_value_a_hundred_faults_are_found() -> None:
    """However many faults there are."""
    assert len(shape_faults({"items": {"type": "string"}}, [1] * 1000)) == 100
