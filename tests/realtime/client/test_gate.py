"""The states of an ask, as the picture at the head of the gate shows them."""

import pytest

from realtime.client.gate import Ask, Gate
from upstream.facts import TurnId


def gate(*numbers: int) -> Gate:
    """A gate before which these wait."""
    gate = Gate()
    for number in numbers:
        gate.put(Ask(TurnId(number), []))
    return gate


def taken(gate: Gate) -> Ask:
    """The next ask, which there is."""
    ask = gate.take()
    assert ask
    return ask


def test_asks_pass_in_their_order() -> None:
    """One is pending at a time, until its response begins."""
    asks = gate(1, 2)
    first = taken(asks)
    assert asks.pending is first
    assert asks.on_its_way == 1
    assert asks.answered(TurnId(1)) is first
    assert asks.on_its_way == 0
    assert taken(asks).number == 2
    assert asks.answered(TurnId(2))
    assert not asks.busy


def test_an_ask_that_came_too_early_is_the_next_again() -> None:
    """It goes in front of those that wait."""
    asks = gate(1, 2)
    asks.put_back(taken(asks))
    assert asks.pending is None
    assert taken(asks).number == 1


def test_nobody_passes_an_ask_that_is_deferred() -> None:
    """Until its time has come; then it is the next."""
    asks = gate(1, 2)
    asks.defer(taken(asks))
    assert asks.take() is None
    assert asks.busy
    asks.release()
    assert taken(asks).number == 1


def test_a_deferred_ask_to_which_no_answer_is_wanted_stops_nobody() -> None:
    """Its content was sent already."""
    asks = gate(1, 2)
    asks.defer(taken(asks))
    asks.void_unsent()
    assert taken(asks).number == 2


@pytest.mark.parametrize("where", ["waiting", "pending", "deferred"])
def test_an_ask_that_is_answered_leaves_from_wherever_it_is(where: str) -> None:
    """The upstream has answered it, whatever was thought to have become of it."""
    asks = gate(1)
    if where != "waiting":
        taken(asks)
    if where == "deferred":
        assert asks.pending
        asks.defer(asks.pending)
    assert asks.answered(TurnId(2)) is None
    assert asks.busy
    answered = asks.answered(TurnId(1))
    assert answered
    assert answered.number == 1
    assert not asks.busy


def test_no_answer_is_wanted_to_what_was_not_sent() -> None:
    """What is pending is answered all the same; the others pass with their content, and are never pending."""
    asks = gate(1, 2, -1)
    taken(asks)
    asks.void_unsent()
    assert asks.on_its_way == 1
    assert asks.spoken_turn == -1
    asks.answered(TurnId(1))
    assert taken(asks).void
    assert asks.on_its_way == 0


def test_no_answer_is_wanted_to_anything() -> None:
    """What is pending stays so, for its response may begin."""
    asks = gate(1, 2)
    pending = taken(asks)
    asks.void_all()
    assert pending.void
    assert asks.on_its_way == 0
    assert asks.answered(TurnId(1)) is pending
    assert taken(asks).void
