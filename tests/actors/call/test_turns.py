"""The order of turns."""

from actors.call.turns import TurnOrder, Utterance
from actors.messages.ids import ChoiceId


def test_turns_are_asked_in_the_order_in_which_they_came() -> None:
    """A clip that is still being decoded holds back what came after it."""
    turns = TurnOrder()
    clip, text = turns.arrive(ChoiceId(1), 0.0), turns.arrive(ChoiceId(1), 0.1, "hello")
    assert turns.next(ChoiceId(1)) is None
    turns.change(clip.number, content=b"pcm")
    first = turns.next(ChoiceId(1))
    assert first is not None
    assert first.number == clip.number
    turns.change(clip.number, asked=True)
    second = turns.next(ChoiceId(1))
    assert second is not None
    assert second.number == text.number


def test_a_turn_waits_for_the_persona_it_was_meant_for() -> None:
    """What was said to the next persona is not asked of this one."""
    turns = TurnOrder()
    turns.arrive(ChoiceId(2), 0.0, "for the second")
    assert turns.next(ChoiceId(1)) is None
    assert turns.next(ChoiceId(2)) is not None
    turns.retag(ChoiceId(2), ChoiceId(1))
    assert turns.next(ChoiceId(1)) is not None


def test_what_is_forgotten_is_not_changed() -> None:
    """A fact about a turn that is over is dropped."""
    turns = TurnOrder()
    said = turns.arrive(ChoiceId(1), 0.0)
    turns.forget(said.number)
    turns.change(said.number, content=b"late")
    assert list(turns) == []
    assert turns.number() == said.number + 1


def test_words_that_are_told_again_hold_back_what_is_spoken_until_an_answer_to_them_begins() -> None:
    """One to what was asked before is none."""
    turns = TurnOrder()
    typed, spoken = turns.arrive(ChoiceId(1), 0.0, "typed"), turns.number()
    turns.adopt(Utterance(spoken, ChoiceId(1), 0.0, "spoken", spoken=True))
    assert turns.heard_before
    turns.change(spoken, asked=True, again=True)
    turns.known(typed.number)
    assert turns.heard_before
    turns.known(spoken)
    assert not turns.heard_before
