"""The four personas that ship, as callers and clients see them."""

import datetime
import json
import re

import pytest

from personas import SHIPPED, Catalogue, Persona
from personas.prompt import build
from tests.kit.four import FOUR, IDS

TODAY = datetime.date(2026, 11, 22)


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return FOUR


def test_the_four_load_without_a_fault(shipped: Catalogue) -> None:
    """The seed's four are there, active, in its order, and nothing in the file is at fault."""
    assert Catalogue.load().faults == ()
    assert [persona.id for persona in shipped.active()] == IDS
    assert shipped.memory == "private"


def test_they_are_who_the_seed_says(shipped: Catalogue) -> None:
    """Name, language, gender, speciality, and a voice of the upstream behind each of the seed's voice names."""
    told = [(p.name, p.language_code, p.gender, p.speciality, p.voice_id, p.voice) for p in shipped.all()]
    assert told == [
        ("Tina Kulkarni", "hi", "Female", "Vedic Marriage", "nova", "marin"),
        ("Mohit", "en", "Male", "Vedic Marriage", "onyx", "cedar"),
        ("Priyanka", "en", "Female", "Vedic Love", "shimmer", "shimmer"),
        ("Harsh Dubey", "hi", "Male", "Vedic Love", "echo", "echo"),
    ]


def letters(text: str) -> tuple[int, int]:
    return len(re.findall("[\u0900-\u097f]", text)), len(re.findall("[A-Za-z]", text))


@pytest.mark.parametrize("persona_id", IDS)
def test_they_greet_and_think_in_the_script_of_their_language(shipped: Catalogue, persona_id: str) -> None:
    """Hindi personas are written in Devanagari alone, English ones in Latin alone; a greeting is short."""
    persona = shipped.get(persona_id)
    for text in (persona.greeting, persona.system_prompt):
        devanagari, latin = letters(text)
        foreign, own = (latin, devanagari) if persona.language_code == "hi" else (devanagari, latin)
        assert foreign == 0
        assert own > 20
    assert len(persona.greeting) < 150


def test_they_greet_by_name(shipped: Catalogue) -> None:
    """Each greeting holds the persona's name as one says it in its language."""
    names = ["तीना कुलकर्णी", "Mohit", "Priyanka", "हर्ष दुबे"]
    assert all(name in persona.greeting for name, persona in zip(names, shipped.all(), strict=True))


def test_every_feature_of_the_seed_is_declared_and_used(shipped: Catalogue) -> None:
    """The seed's eight features are in the file, and at least one persona has each."""
    eight = {
        *("tone", "consultation_style", "pricing", "availability"),
        *("personality_traits", "cultural_preferences", "response_patterns", "emotional_intelligence"),
    }
    assert set(json.loads(SHIPPED.read_bytes())["features"]) >= eight
    assert {name for persona in shipped.all() for name in persona.features} >= eight


def test_every_feature_of_a_persona_reaches_its_prompt(shipped: Catalogue) -> None:
    """Eight features make eight lines under Style, each a whole sentence."""
    for persona in shipped.all():
        style = section(build(persona.standing, today=TODAY), "Style").splitlines()
        assert len(style) == 8
        assert all(line.endswith(".") for line in style)


def section(text: str, title: str) -> str:
    return text.partition(f"# {title}\n")[2].partition("\n\n# ")[0]


def test_public_never_shows_a_prompt_or_a_private_feature(shipped: Catalogue) -> None:
    """Clients see the seed's fields and the public features, and nothing of the prompt."""
    tina = shipped.get(IDS[0])
    shown = tina.public()
    assert set(shown) == {
        *("astrologer_id", "name", "speciality", "language", "gender", "voice_id", "persona", "greeting"),
        *("expertise_keywords", "status", "tone", "pricing", "availability", "personality_traits"),
    }
    assert tina.system_prompt[:40] not in json.dumps(shown, ensure_ascii=False)


def test_a_log_line_of_a_persona_holds_no_prompt(shipped: Catalogue) -> None:
    """The representation of a persona leaves out what clients must not see: prompts, and features that are private."""
    persona: Persona = shipped.get(IDS[1])
    assert "You are Mohit" in persona.system_prompt
    assert "You are Mohit" not in repr(persona)
    assert persona.features["response_patterns"]["begin"] not in repr(persona)
