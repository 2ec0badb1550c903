import pytest

from engine.mind.echo import echoed
from engine.mind.replies import phrases


@pytest.mark.parametrize(
    ("said", "back"),
    [
        ("7:45 am", "7:45 am"),
        ("born at 6 AM", "born at 6 AM"),
        ("It was at 7am.", "it was at 7am"),
        ("at seven am", "at seven am"),
        ("at seven forty-five am", "at seven forty-five am"),
        ("I was born at 7 A.M. in Pune", "you were born at 7 A.M. in Pune"),
        ("At 7 am I was born", "at 7 am you were born"),
        ("I am born at 7 am", "you are born at 7 am"),
        ("I really am tired", "you really are tired"),
        ("Am I right?", "are you right"),
        ("Was I born lucky?", "were you born lucky"),
        ("My mother was ill", "your mother was ill"),
        ("This house is mine", "this house is yours"),
        ("He works in a coal mine", "he works in a coal mine"),
        ("May 5 1990", "May 5 1990"),
        ("Will I marry soon? \ufffd", "will you marry soon"),
        ("I am glad. 🙏", "you are glad"),
    ],
)
def test_words_with_two_meanings_are_turned_in_one_of_them(said: str, back: str) -> None:
    """`am` of the clock, `was` of others and the mine in a mountain stay what they are."""
    assert echoed(said, phrases("en")) == back


@pytest.mark.parametrize("said", ["x" * 4000, f"Tell them {'ab' * 2000} please", "1" * 4000])
def test_what_is_no_word_is_not_repeated(said: str) -> None:
    """Thousands of letters without a blank would be read out for minutes."""
    assert echoed(said, phrases("en")) is None
