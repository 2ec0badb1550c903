"""Who fits what a caller says, in either language and either script."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personas import Catalogue
from tests.kit.four import FOUR

Make = Callable[..., dict[str, object]]
SHIPPED = FOUR


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("When will I get married?", "Mohit"),
        ("मेरी शादी कब होगी?", "Tina Kulkarni"),
        ("MARRIAGE", "Mohit"),
        ("does he love me", "Priyanka"),
        ("will she come back after our breakup", "Priyanka"),
        ("क्या वो मुझसे प्यार करता है", "Harsh Dubey"),
        ("मेरा ब्रेकअप हो गया", "Harsh Dubey"),
        ("mangal dosh", "Tina Kulkarni"),
        ("I want to talk to tina", "Tina Kulkarni"),
        ("तीना कुलकर्णी से बात करनी है", "Tina Kulkarni"),
        ("मोहित", "Mohit"),
        ("प्रियंका जी", "Priyanka"),
        ("हर्ष दुबे", "Harsh Dubey"),
        ("dubey", "Harsh Dubey"),
    ],
)
def test_the_first_is_who_one_would_have_named(query: str, first: str) -> None:
    """By keyword, name or speciality, in both languages, in both scripts."""
    matches = SHIPPED.match(query)
    assert matches[0].persona.name == first
    assert matches[0].score > 0
    assert matches[0].because


def test_a_language_narrows_the_choice() -> None:
    """Hindi for who speaks Hindi, by name or code; a language that nobody speaks finds nobody."""
    assert [match.persona.name for match in SHIPPED.match("marriage", "Hindi")] == ["Tina Kulkarni"]
    assert SHIPPED.match("marriage", "hi") == SHIPPED.match("marriage", "Hindi")
    assert SHIPPED.match("marriage", "Klingon") == ()


@pytest.mark.parametrize("query", ["", "   ", "?!", "the weather tomorrow", "मुझे तीन बातें", "\u0000", "\u200d"])
def test_nothing_found_is_nobody(query: str) -> None:
    """It does not guess: three (तीन) is not Tina (तीना)."""
    assert SHIPPED.match(query) == ()


def test_because_names_the_words_as_the_file_has_them(row: Make) -> None:
    """A word counts once, however many keywords it meets; a phrase counts for each of its words."""
    catalogue = Catalogue.from_data([row(expertise_keywords=["शादी", "shaadi", "love marriage"])])
    (found,) = catalogue.match("shaadi or LOVE  marriage?")
    assert found.because == ("love marriage", "shaadi")
    assert found.score == 2 + 4 + 1


def test_only_the_active_and_only_so_many(row: Make) -> None:
    """Who takes no calls is not offered; the limit holds; equals stay in the file's order."""
    rows = [row(astrologer_id=f"asha_{n}", status="inactive" if n == 1 else "active") for n in range(6)]
    found = Catalogue.from_data(rows).match("love", limit=3)
    assert [match.persona.id for match in found] == ["asha_0", "asha_2", "asha_3"]


def test_spelling_habits_of_hindi_do_not_matter(row: Make) -> None:
    """Nukta and candrabindu are written or left out, whole or as parts."""
    catalogue = Catalogue.from_data([row(expertise_keywords=["मांगलिक", "ज़िंदगी"])])
    for query in ("माँगलिक", "जिंदगी", "ज\u093cिंदगी", "ज़िँदगी"):
        assert len(catalogue.match(query)) == 1


@settings(deadline=None)  # the machine may be busy
@given(st.text(max_size=80))
def test_any_query_has_the_same_answer_twice(query: str) -> None:
    """Whatever is asked, there is an answer, in order, and the same again."""
    found = SHIPPED.match(query, limit=4)
    assert found == SHIPPED.match(query, limit=4)
    assert [match.score for match in found] == sorted((match.score for match in found), reverse=True)
    assert all(match.because for match in found)
