"""What the server itself says."""

import pytest

from care.helplines import numbers
from care.signs import KINDS, Worried
from care.words import help_sentence, instructions, languages
from personas.languages import spelled_in
from tests.kit.four import FOUR

INDIA = numbers("IN", "suicide")


def test_the_languages_of_the_file_that_ships_have_words() -> None:
    """Those in which its personas may speak."""
    assert {persona.language_code for persona in FOUR.all()} <= set(languages())
    assert set(languages()) == {"en", "hi", "mr", "gu", "pa", "bn", "ta", "te", "kn", "ml", "ur"}


@pytest.mark.parametrize("language", languages())
def test_every_sentence_is_in_the_letters_of_its_language(language: str) -> None:
    """A voice reads others letter by letter."""
    said = [help_sentence(language, kind, INDIA) for kind in KINDS]
    for sentence in said:
        assert spelled_in(sentence, language), sentence
        assert "{" not in sentence


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", KINDS)
def test_the_fixed_sentence_has_a_number(language: str, kind: "KINDS") -> None:  # type: ignore[valid-type]
    """Digit by digit."""
    lines = numbers("IN", kind)
    assert lines[0].spoken in help_sentence(language, kind, lines)


def test_a_persona_in_care_asks_stays_and_names_help() -> None:
    """What clinicians' rubrics ask for, and what they forbid."""
    said = instructions([Worried("suicide", sure=True)], INDIA)
    for words in (
        "Ask directly",
        "Stay",
        "who is near",
        "distance",
        "1 4 4 1 6",
        "Never give a diagnosis",
        "never promise",
    ):
        assert words in said
    assert "were not clear" not in said
    assert "were not clear" in instructions([Worried("suicide", sure=False)], INDIA)


def test_a_child_who_is_not_in_danger_hears_of_no_danger() -> None:
    """Only the tone is another one."""
    said = instructions([Worried("child", sure=True)], numbers("IN", "child"))
    assert "in care" not in said
    assert "how old are you" in said
    both = instructions([Worried("hurt", sure=True), Worried("child", sure=True)], INDIA)
    assert "in care" in both
    assert "how old are you" in both
