"""What callers are told first: by language, as the file has it."""

import json
from typing import Any

import pytest

from personas import SHIPPED, Catalogue
from personas.languages import spelled_in
from tests.kit.four import FOUR, MOHIT, TINA

DATA: dict[str, Any] = json.loads(SHIPPED.read_bytes())
OWN = {"ai": "An AI speaks here.", "feelings": "It attends to how you feel."}


def read(disclosures: Any, **changes: Any) -> Catalogue:
    """Mohit's file, with this section, and with other fields of Mohit's."""
    (row,) = (row for row in DATA["astrologers"] if row["astrologer_id"] == MOHIT)
    return Catalogue.from_data({"astrologers": [row | changes], "disclosures": disclosures})


def test_the_words_that_ship_say_it_in_two_languages() -> None:
    """Plainly, and that feelings are attended to."""
    assert FOUR.get(MOHIT).disclosure == "I am an AI, not a human being. I also pay attention to how you feel."
    assert FOUR.get(TINA).disclosure.startswith("मैं एक एआई हूं, इंसान नहीं।")


@pytest.mark.parametrize("language", DATA["language_instructions"])
def test_every_language_that_ships_has_words_in_its_own_letters(language: str) -> None:
    """A voice reads others letter by letter."""
    said = read({}, language=language, greeting="...").get(MOHIT)
    assert spelled_in(said.disclosure, said.language_code)
    assert said.disclosure.startswith(DATA["disclosures"][language]["ai"])


def test_feelings_are_told_of_where_they_are_listened_for() -> None:
    """By the persona's feature."""
    deaf = {"listen_for": [], "when_upset": "slow down"}
    assert read({}).get(MOHIT).disclosure.endswith("how you feel.")
    for value in (deaf, None):
        (row,) = (row for row in DATA["astrologers"] if row["astrologer_id"] == MOHIT)
        changed = {**row, "emotional_intelligence": value}
        rows = [{name: one for name, one in changed.items() if one is not None}]
        features = {"emotional_intelligence": {"schema": {"type": "object"}}}
        found = Catalogue.from_data({"astrologers": rows, "features": features}).get(MOHIT)
        assert found.disclosure == "I am an AI, not a human being."


def test_words_may_be_others_and_make_another_version() -> None:
    """One sentence of a language, or both."""
    assert read({"English": OWN}).get(MOHIT).disclosure == "An AI speaks here. It attends to how you feel."
    half = read({"English": {"ai": "An AI speaks here."}}).get(MOHIT)
    assert half.disclosure == "An AI speaks here. I also pay attention to how you feel."
    assert len({read({}).get(MOHIT).version, half.version, read({"English": OWN}).get(MOHIT).version}) == 3


@pytest.mark.parametrize(
    ("disclosures", "says"),
    [
        ({"English": {"ai": "", "feelings": "x"}}, "disclosures.English.ai"),
        ({"English": {"ai": "🙏"}}, "nothing of it can be spoken"),
        ({"English": {"ai": "Language: Hindi"}}, "disclosures.English.ai"),
        ({"Klingonese": OWN}, "is not the English name of a language"),
        ({"French": {"ai": "Je suis une IA."}}, "feelings"),
        ({"English": "An AI"}, "disclosures.English"),
        ([], "disclosures"),
    ],
)
def test_a_fault_is_named(disclosures: Any, says: str) -> None:
    """They cannot be left out by an empty text."""
    assert any(says in str(fault) for fault in read(disclosures).faults), read(disclosures).faults


def test_a_language_without_words_has_the_english_ones_and_a_warning() -> None:
    """So has one whose words are in other letters."""
    french = {"language_instructions": {"French": "Parlez."}, "voice_mappings": {"Male": {"French": "cedar"}}}
    (row,) = (row for row in DATA["astrologers"] if row["astrologer_id"] == MOHIT)
    found = Catalogue.from_data({"astrologers": [row | {"language": "French"}], **french})
    assert found.get(MOHIT).disclosure.startswith("I am an AI")
    assert any("Add disclosures.French" in str(warning) for warning in found.warnings)
    hindi = read({"Hindi": OWN}, language="Hindi", greeting="नमस्ते")
    assert any("disclosures.Hindi" in str(warning) and "Devanagari" in str(warning) for warning in hindi.warnings)
