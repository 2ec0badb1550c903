"""The order in which the actors of one loop take their turns, and for how long they have it."""

import time
from collections.abc import Callable
from typing import Any, cast

import pytest

from actors.runtime.mailbox import ROUND_SECONDS, TurnQueue

TURN = 0.6 * ROUND_SECONDS


class Loop:
    """A loop with a clock of its own; each callback is run by `go_round`."""

    def __init__(self) -> None:
        self.now = 100.0
        self.ready: list[Callable[[], None]] = []

    def call_soon(self, work: Callable[[], None]) -> None:
        """Run it in the next round."""
        self.ready.append(work)

    def is_closed(self) -> bool:
        """It is open."""
        return False

    def go_round(self, elsewhere: float = 0.0) -> None:
        """Something else takes so many seconds, then what is ready is run."""
        self.now += elsewhere
        ready, self.ready = self.ready, []
        for work in ready:
            work()


class Turns:
    """A queue of turns that take TURN each, and how many were taken."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
        self.loop, self.taken = Loop(), 0
        monkeypatch.setattr(time, "perf_counter", lambda: self.loop.now)
        self.queue = TurnQueue(cast(Any, self.loop))
        for _ in range(number):
            self.queue.add(self._turn)

    def _turn(self) -> None:
        self.loop.now += TURN
        self.taken += 1

    def in_a_round(self, elsewhere: float = 0.0) -> int:
        """How many are taken in the next round."""
        before = self.taken
        self.loop.go_round(elsewhere)
        return self.taken - before


def test_a_round_of_turns_ends_after_a_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    """Actors who always have something to do leave the loop to the sockets in between."""
    turns = Turns(monkeypatch, 6)
    assert [turns.in_a_round() for _ in range(4)] == [2, 2, 2, 0]
    assert not turns.loop.ready


def test_actors_that_are_behind_have_the_loop_for_as_long_as_all_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or sockets that always have something would leave them less and less of it."""
    turns = Turns(monkeypatch, 40)
    assert turns.in_a_round(elsewhere=1.0) == 2  # nobody was behind
    assert turns.queue.behind
    assert turns.in_a_round(elsewhere=8 * ROUND_SECONDS) == 14
    assert turns.in_a_round() == 2


def test_nobody_is_behind_when_all_have_had_their_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where another turn was asked for since: that is due now, and not late."""
    turns = Turns(monkeypatch, 3)
    assert [turns.in_a_round(), turns.queue.behind, turns.in_a_round(), turns.queue.behind] == [2, True, 1, False]
    turns.queue.add(lambda: None)
    assert not turns.queue.behind
