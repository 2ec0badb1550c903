"""Whose clip goes next: a queue that knows who used how much, without a decoder."""

from collections.abc import Iterator

import pytest

from audio.turns import EXPECTED, HALF_LIFE, HEAVY, MOST_KEYS, OLDEST_EVERY, By, Turn, Turns

ATTACKER: By = (("address", "192.0.2.1"), ("user", "attacker"))
HONEST: By = (("user", "honest"),)
MOST = 8


class Clock:
    """Stands still unless it is put forward."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock for one test."""
    return Clock()


@pytest.fixture
def turns(clock: Clock) -> Turns[str]:
    """Two places, nobody yet."""
    return Turns(2, MOST, clock)


def taken(turns: Turns[str]) -> Iterator[Turn[str]]:
    """All that can be had, and nobody is done."""
    while turn := turns.next():
        yield turn


def used(turns: Turns[str], by: By, seconds: float) -> None:
    """They had a clip that cost so much."""
    turns.add(by, "earlier")
    turn = turns.next()
    assert turn
    turns.done(turn, seconds)


def test_they_come_in_their_order_where_nobody_used_more(turns: Turns[str]) -> None:
    """First come, first served."""
    for item in "abc":
        turns.add((("user", item),), item)
    assert [turn.item for turn in taken(turns)] == ["a", "b", "c"]


def test_who_used_least_goes_next(turns: Turns[str]) -> None:
    """Also when they came last."""
    used(turns, ATTACKER, 0.9)
    turns.add(ATTACKER, "costly")
    turns.add(HONEST, "short")
    assert [turn.item for turn in taken(turns)] == ["short", "costly"]


def test_another_name_from_the_same_address_is_the_same(turns: Turns[str]) -> None:
    """The widest counts first: who takes a new name for each clip is not new."""
    used(turns, ATTACKER, 0.9)
    turns.add((ATTACKER[0], ("user", "another name")), "costly")
    turns.add(HONEST, "short")
    assert [turn.item for turn in taken(turns)] == ["short", "costly"]


def test_what_was_used_is_forgotten(turns: Turns[str], clock: Clock) -> None:
    """Half of it in each half-life."""
    used(turns, ATTACKER, 0.8)
    used(turns, HONEST, 0.2)
    clock.now += 20 * HALF_LIFE
    used(turns, HONEST, 0.2)
    used(turns, (), 0.2)
    turns.add(HONEST, "late")
    turns.add(ATTACKER, "reformed")
    assert [turn.item for turn in taken(turns)] == ["reformed", "late"]


def test_one_place_is_kept_from_who_used_much(turns: Turns[str]) -> None:
    """However many of them wait; it is had again when one of theirs is done."""
    used(turns, ATTACKER, HEAVY + 0.5)
    for item in "ab":
        turns.add(ATTACKER, item)
    (first,) = taken(turns)
    turns.add(HONEST, "short")
    assert [turn.item for turn in taken(turns)] == ["short"]
    turns.done(first, 0.5)
    assert [turn.item for turn in taken(turns)] == ["b"]


def test_nobody_waits_for_ever(turns: Turns[str]) -> None:
    """New ones who used nothing come all the time: the one who used much has a turn nevertheless."""
    used(turns, ATTACKER, 50.0)
    turns.add(ATTACKER, "costly")
    came = []
    for number in range(OLDEST_EVERY):
        for name in (number, -number - 1):
            turns.add((("user", name),), "short")
        turn = turns.next()
        assert turn
        came.append(turn.item)
        turns.done(turn, EXPECTED)
    assert came.count("costly") == 1


def test_a_full_queue_takes_the_clip_of_who_used_least(turns: Turns[str]) -> None:
    """The last of whoever used most has to go, and it is told which."""
    used(turns, ATTACKER, 0.5)
    for number in range(MOST):
        assert turns.add(ATTACKER, f"costly {number}") is None
    assert turns.add(HONEST, "short") == f"costly {MOST - 1}"
    assert turns.add(ATTACKER, "one more") == "one more"
    assert len(turns) == MOST


def test_many_names_of_one_address_do_not_keep_the_queue_full(turns: Turns[str]) -> None:
    """Also when none of them has used anything yet."""
    for number in range(MOST):
        turns.add((ATTACKER[0], ("user", number)), f"costly {number}")
    assert turns.add(HONEST, "short") == f"costly {MOST - 1}"


def test_in_a_full_queue_of_equals_the_last_has_to_go(turns: Turns[str]) -> None:
    """Nobody gives way to who is no better."""
    for number in range(MOST):
        turns.add((("user", number),), "short")
    assert turns.add(HONEST, "late") == "late"


def test_what_is_dropped_leaves_no_trace(turns: Turns[str]) -> None:
    """Its place is free, and it counts no more against who sent it."""
    for item in "abc":
        turns.add(ATTACKER, item)
    assert all(turns.drop(item) for item in "abc")
    assert not turns.drop("a")
    turns.add(ATTACKER, "again")
    turns.add(HONEST, "late")
    assert [turn.item for turn in taken(turns)] == ["again", "late"]


def test_what_is_remembered_is_bounded(turns: Turns[str]) -> None:
    """A name for each clip fills no memory, and who used much is not forgotten for it."""
    used(turns, ATTACKER, 50.0)
    for number in range(3 * MOST_KEYS):
        used(turns, (("user", number),), 0.01)
    assert len(turns._used) <= MOST_KEYS
    turns.add(ATTACKER, "costly")
    turns.add(HONEST, "short")
    assert [turn.item for turn in taken(turns)] == ["short", "costly"]


def test_an_address_counts_before_its_users(turns: Turns[str]) -> None:
    """A new name at an address that used much is no new caller: neither in the order, nor for the last place."""
    used(turns, ATTACKER, 1.1 * HEAVY)
    used(turns, (("address", "192.0.2.2"), ("user", "neighbour")), HEAVY / 2)
    for name in ("new", "newer"):
        turns.add((("address", "192.0.2.1"), ("user", name)), name)
    turns.add((("address", "192.0.2.2"), ("user", "neighbour")), "neighbour")
    assert [turn.item for turn in taken(turns)] == ["neighbour", "new"]
