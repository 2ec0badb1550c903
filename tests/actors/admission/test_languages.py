"""Which personas the model that serves can speak and hear."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from actors.admission.languages import Served
from actors.admission.slots import PersonaSlots
from actors.messages.admission import ById, ByWords, Declined, Reserve, Reserved, Wish
from actors.messages.ids import ChoiceId
from personas.languages import scripts_of
from tests.kit.four import MOHIT, TINA
from tests.kit.languages import MARATHI, SEVEN, TAMIL, URDU
from upstream.models import LOCAL, Languages, named

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ENGINE = named(LOCAL).can.languages


def choose(wish: Wish, languages: Languages = ENGINE) -> Reserved | Declined:
    """What a choice is answered."""
    return PersonaSlots(languages).answer(Reserve(cast(Any, "a call"), ChoiceId(1), wish), SEVEN, NOW)


def code(answer: Reserved | Declined) -> str:
    return answer.code if isinstance(answer, Declined) else answer.persona.id


@pytest.mark.parametrize("language", ["ta", "te", "kn", "ml", "bn", "gu", "pa", "or", "ur", "ar", "zh", "ja", "ru"])
def test_a_script_that_is_not_read_out_is_not_spoken(language: str) -> None:
    """Of every language the usual script counts."""
    assert scripts_of(language)[0] not in ENGINE.scripts


@pytest.mark.parametrize(
    ("astrologer", "speaks", "hears"),
    [(TINA, True, True), (MOHIT, True, True), (MARATHI, True, False), (TAMIL, False, False), (URDU, False, False)],
)
def test_the_local_engine_has_two_languages_and_speaks_some_more(astrologer: str, speaks: bool, hears: bool) -> None:
    """Marathi is written as Hindi is."""
    served, persona = Served(ENGINE), SEVEN.get(astrologer)

    assert (served.speaks(persona), served.hears(persona)) == (speaks, hears)
    assert (served.refusal(persona) is None) == speaks
    assert (served.advice(persona) is None) == (served.warning(persona) is None) == hears


def test_another_model_has_every_language() -> None:
    """Nothing is said of any persona."""
    served = Served(named("gpt-realtime-2.1").can.languages)

    assert not any(served.refusal(one) or served.advice(one) or served.warning(one) for one in SEVEN.all())


def test_who_cannot_be_spoken_for_is_not_put_on_the_line() -> None:
    """The answer says what the engine has, and names only whom it can speak for."""
    answer = choose(ById(TAMIL))

    assert isinstance(answer, Declined)
    assert answer.code == "language_not_served"
    assert answer.message.startswith("Kavya speaks Tamil; the local engine hears and speaks English and Hindi only. ")
    assert MARATHI in answer.message
    assert URDU not in answer.message
    assert code(choose(ById(TAMIL), Languages())) == TAMIL


def test_a_search_passes_over_who_cannot_be_spoken_for() -> None:
    """Where nobody else fits, it is refused as a choice by id is."""
    assert code(choose(ByWords("marriage", "Urdu"))) == "language_not_served"
    assert code(choose(ByWords("marriage", "Marathi"))) == MARATHI
    assert code(choose(ByWords("marriage"))) not in (TAMIL, URDU)
