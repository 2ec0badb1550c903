"""Who may be put on the line with whom."""

from datetime import UTC, datetime
from typing import Any, cast

import orjson

from actors.admission.slots import PersonaSlots
from actors.messages.admission import ById, ByWords, Declined, Reserve, Reserved, Wish
from actors.messages.ids import ChoiceId
from personas import SHIPPED, Catalogue
from tests.kit.four import FOUR, HARSH, MOHIT, TINA

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
A, B = "one call", "another"


def one_each() -> Catalogue:
    """Each persona takes one caller."""
    data = orjson.loads(SHIPPED.read_bytes())
    for row in data["astrologers"]:
        row["max_callers"] = 1
    return Catalogue.from_data({**data, "memory": "shared"})


ONE_EACH = one_each()


def ask(slots: PersonaSlots, call: str, choice: int, wish: Wish | str, catalogue: Catalogue = ONE_EACH) -> Any:
    """What a choice of this call is answered."""
    wish = ById(wish) if isinstance(wish, str) else wish
    return slots.answer(Reserve(cast(Any, call), ChoiceId(choice), wish), catalogue, NOW)


def test_a_choice_is_answered_with_the_persona_and_the_policy_of_memory() -> None:
    """Both as the catalogue has them now."""
    assert ask(PersonaSlots(), A, 7, TINA) == Reserved(ChoiceId(7), ONE_EACH.get(TINA), "shared")


def test_what_the_catalogue_refuses_takes_no_place() -> None:
    """The caller is told with the catalogue's own code."""
    slots = PersonaSlots()
    assert ask(slots, A, 1, "nobody").code == "unknown_astrologer"
    answer = ask(slots, A, 2, ByWords("qqq"))
    assert isinstance(answer, Declined)
    assert (answer.choice, answer.code) == (2, "no_persona")
    assert isinstance(ask(slots, B, 1, TINA), Reserved)


def test_one_more_than_may_be_is_busy() -> None:
    """Also where the limit came by an edit; without a limit there is room for everybody."""
    slots = PersonaSlots()
    for call in (A, B):
        assert isinstance(ask(slots, call, 1, TINA, FOUR), Reserved)
    assert ask(slots, "a third", 1, TINA).code == "busy"
    slots.release_all(A)
    slots.release_all(B)
    assert isinstance(ask(slots, "a third", 2, TINA), Reserved)


def test_words_take_the_best_who_has_a_place() -> None:
    """Then the next; and the best is the one who is said to be busy."""
    slots, wish = PersonaSlots(), ByWords("will my husband love me in marriage", "English")
    best, second = ONE_EACH.match_all(wish.words, wish.language, NOW)[:2]
    assert ask(slots, A, 1, wish).persona == best
    assert ask(slots, B, 1, wish).persona == second
    while isinstance(answer := ask(slots, f"more {len(slots.held())}", 1, wish), Reserved):
        pass
    assert answer.message.startswith(f"{best.name} is talking to others. Choose one of: ")


def test_two_choices_of_one_call_are_one_caller() -> None:
    """Whoever goes back to who is on the line needs no second place, and has it until both are released."""
    slots = PersonaSlots()
    for choice, persona in enumerate((TINA, MOHIT, TINA), 1):
        assert isinstance(ask(slots, A, choice, persona), Reserved)
    slots.release(A, {1})
    assert slots.held() == {A: {MOHIT, TINA}}
    assert ask(slots, B, 1, TINA).code == "busy"
    slots.release(A, {3})
    assert isinstance(ask(slots, B, 2, TINA), Reserved)


def test_a_release_names_choices_and_reaches_no_other() -> None:
    """Not even another choice of the same persona; and what holds nothing may be released again."""
    slots = PersonaSlots()
    ask(slots, A, 1, HARSH)
    ask(slots, A, 2, HARSH)
    slots.release(A, {1})
    slots.release(A, {1, 5})
    slots.release(B, {2})
    assert ask(slots, B, 3, HARSH).code == "busy"
    slots.release_all(A)
    assert slots.held() == {}
