"""What is said of a value that does not fit, and whom one may have meant."""

import pytest

from schemas.sentences import nearest

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
        ("priyanka_vedik_love", IDS, "priyanka_vedic_love"),
        ("harsh", IDS, "harsh_dubey_vedic_love"),
        ("dubey", IDS, "harsh_dubey_vedic_love"),
        ("INX", ("INR", "IRR", "XNX"), "INR"),
    ],
)
def test_a_slip_or_a_part_is_who_was_meant(word: str, names: tuple[str, ...], meant: str) -> None:
    """A letter too many, too few, another or in another's place; a beginning, or a part, of one name only."""
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
    """Another beginning of a word is another word, a short one has no slip, and what two names share is neither."""
    assert nearest(word, names) == ""
