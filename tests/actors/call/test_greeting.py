"""The greeting that is owed: to whom it goes, and until when."""

from dataclasses import replace

from actors.call.greeting import Greetings
from actors.call.line import Leg, Selection
from actors.messages.bridge import Greet, ToBridge
from actors.messages.ids import ChoiceId, Generation
from actors.runtime import Hired, Stop
from actors.testing.probe import Probe
from personas import Catalogue, Persona
from tests.kit.four import TINA
from upstream.facts import TurnId

CHOICE, TURN = ChoiceId(7), TurnId(3)


class Bridge(Probe):
    """What a connection was told."""


def leg(bridge: Hired[ToBridge | Stop]) -> Leg:
    """A connection that serves."""
    return Leg(Generation(1), Selection(ChoiceId(1), Catalogue.load().get(TINA)), bridge)


def persona(greeting: str) -> Persona:
    """Somebody who greets like this."""
    return replace(Catalogue.load().get(TINA), greeting=greeting, disclosure="I am an AI.")


def owed(words: str = "one two three") -> Greetings:
    """Choice 7 was granted; its greeting is number 3 among the turns."""
    greetings = Greetings()
    greetings.expect(CHOICE, TURN)
    greetings.owe(CHOICE, persona(words))
    return greetings


def test_what_cannot_be_spoken_is_taken_and_owed_no_more() -> None:
    """Also where only emoji are left of it."""
    for greetings in (owed("🙏"), owed("...")):
        taken = greetings.take_unspoken()
        assert taken
        assert (taken.number, greetings.owed) == (TURN, None)
    greetings = owed("Namaste 🙏")
    assert greetings.take_unspoken() is None
    greetings.lost({TURN: "Namaste"})
    assert greetings.take_unspoken()


def test_a_greeting_comes_first_from_the_choice_until_it_begins() -> None:
    """Nobody listens to the caller meanwhile, or they would be answered before they are greeted."""
    greetings = Greetings()
    first = [greetings.comes_first]
    greetings.expect(CHOICE, TURN)
    first.append(greetings.comes_first)
    greetings.owe(CHOICE, persona("hello"))
    first.append(greetings.comes_first)
    assert greetings.owed
    greetings.owed.begun = True
    first.append(greetings.comes_first)
    assert first == [False, True, True, False]


def test_a_choice_that_was_refused_is_owed_none() -> None:
    """As if nobody had been asked for."""
    greetings = Greetings()
    greetings.expect(CHOICE, TURN)
    greetings.refused(CHOICE)
    assert not greetings.comes_first
    assert greetings.owed is None


def test_after_a_loss_the_rest_of_it_is_owed() -> None:
    """The words that the caller gets of it count; when that is all of them, nothing is owed."""
    greetings = owed()
    greetings.lost({TURN: "one"})
    assert greetings.owed
    assert greetings.owed.rest == "two three"
    greetings.lost({TURN: "one two three"})
    assert greetings.owed is None


def test_only_its_own_answer_settles_it() -> None:
    """By its number."""
    greetings = owed()
    greetings.settle(TurnId(2))
    assert greetings.owed
    greetings.settle(TURN)
    assert greetings.owed is None


def test_an_interruption_ends_one_that_was_asked_for() -> None:
    """One that nobody was asked for yet is still given."""
    greetings, bridge = owed(), Bridge()
    greetings.interrupt()
    assert greetings.owed
    greetings.ask(leg(bridge))  # type: ignore[arg-type]  # a probe stands for a bridge
    bridge.expect(Greet(TURN, "one two three"))
    greetings.interrupt()
    assert greetings.owed is None
