from collections.abc import Sequence

import pytest

from engine.mind.birth import FACTS, speaks_of_birth, told
from engine.mind.mind import Mind
from engine.mind.replies import phrases
from tests.kit.story import run
from upstream.facts import Turn

ENGLISH = "# Language\nLanguage: English (en). Speak it.\n\n# Expertise\nVedic Marriage: marriage, delay\n"
HINDI = ENGLISH.replace("English (en)", "Hindi (hi)")
ALL = set(FACTS)


def answers(instructions: str, lines: Sequence[str]) -> list[str]:
    """The answers of one call in which the caller says these lines."""
    turns: list[Turn] = []
    for line in lines:
        turns.append(Turn("user", line))
        turns.append(Turn("assistant", run(Mind().answer(instructions, tuple(turns)))))
    return [turn.text for turn in turns if turn.role == "assistant"]


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("5 May 1990 at 7:45 am in Pune", ALL),
        ("5 May 1990 at quarter to eight in the morning in pune", ALL),
        ("5 May 1990, half past seven, Shirdi", ALL),
        ("Pune, 5/5/1990, 7am", ALL),
        ("5 May 1990 7 A.M. Satara", ALL),
        ("मेरी जन्म तारीख 5 मई 1990 है, समय सुबह 7:45, पुणे", ALL),
        ("5 मई 1990 को सुबह पौने आठ बजे पुणे में", ALL),
        ("5 मई 1990, 7 बजे, सतारा", ALL),
        ("5 May 1990 subah 7 baje Satara", ALL),
        ("5 May 1990", {"date"}),
        ("in May", {"date"}),
        ("5 May 1990, I think", {"date"}),
        ("7:45 am", {"time"}),
        ("at seven", {"time"}),
        ("at seven thirty am", {"time"}),
        ("at quarter to eight", {"time"}),
        ("सुबह 7:45 बजे", {"time"}),
        ("मई में", {"date"}),
        ("in Pune", {"place"}),
        ("पुणे में", {"place"}),
        ("my birth place is Satara", {"place"}),
        ("1990-05-05T07:45, Satara", ALL),
        ("5th of May, nineteen ninety", {"date"}),
        ("1745 hours", {"time"}),
        ("I was born at home", set()),
        ("my number is 4711", set()),
        ("yes", set()),
        ("I am tired", set()),
    ],
)
def test_each_fact_is_recognised(text: str, facts: set[str]) -> None:
    """In figures and in words, in any order, in both languages; nothing else is taken for one."""
    assert told(text) == facts


def test_a_date_with_a_time_is_a_birth() -> None:
    """Also where the word is not said; a year alone is none."""
    assert speaks_of_birth("5 May 1990, 7:45 am")
    assert not speaks_of_birth("I married in 2019")


@pytest.mark.parametrize(
    ("instructions", "lines"),
    [
        (ENGLISH, ["When will I get married?", "5 May 1990 at 7:45 am in Pune", "ok", "fine", "go on"]),
        (ENGLISH, ["When will I get married?", "5 May 1990", "quarter to eight, in Pune", "ok", "go on"]),
        (ENGLISH, ["I was born on 5 May 1990 at 7:45 am in Pune. When will I marry?", "ok", "fine", "go on"]),
        (HINDI, ["शादी कब होगी", "मेरी जन्म तारीख 5 मई 1990 है, समय सुबह 7:45, पुणे", "जी", "अच्छा", "जी"]),
        (HINDI, ["शादी कब होगी", "5 मई 1990 को सुबह पौने आठ बजे पुणे में", "जी", "अच्छा", "जी"]),
    ],
)
def test_what_was_told_at_once_is_not_asked_again(instructions: str, lines: list[str]) -> None:
    """Whichever fact was asked for, all that the sentence tells is noted."""
    questions = phrases("hi" if instructions is HINDI else "en")["questions"]
    given = "\n".join(answers(instructions, lines))
    asked = [fact for fact in FACTS if any(question in given for question in questions[fact])]

    assert asked in ([], ["date"], ["date", "time"])
    assert ("time" in asked) == ("quarter" in lines[2])


def test_what_the_prompt_has_of_the_caller_is_not_asked() -> None:
    """The profile stands under Caller, which says not to ask for it again."""
    caller = "\n\n# Caller\nName: Asha\nBirth date: 1990-05-05\nBirth place: Pune\n\n# Today\n2026-11-22"
    said = answers(ENGLISH + caller, ["When will I get married?", "ok"])
    questions = phrases("en")["questions"]

    assert said[0].endswith(questions["time"][0])
    assert not any(question in said[1] for fact in ("date", "place") for question in questions[fact])


def test_what_was_not_told_is_still_asked() -> None:
    """Date and time in one sentence leave the place."""
    said = answers(ENGLISH, ["When will I get married?", "5 May 1990 at 7:45 am"])

    assert "5 May 1990 at 7:45 am." in said[1]
    assert said[1].endswith(phrases("en")["questions"]["place"][0])


def test_a_question_is_not_taken_for_the_town() -> None:
    """Asked for the town, a caller may ask something back."""
    said = answers(ENGLISH, ["When will I marry?", "5 May 1990", "7 am", "Am I in trouble?"])

    assert "I have the place" not in said[3]
    assert "are you in trouble" in said[3]


def test_a_word_of_thousands_of_letters_is_not_read_out() -> None:
    """It is named by what it may mean."""
    assert "xxx" not in answers(ENGLISH, ["x" * 4000])[0]
