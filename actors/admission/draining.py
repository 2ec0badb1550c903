"""When each call of a server that is about to end is told so: late, and not all in one moment."""

import random
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

CALL_SECONDS = 10.0  # of a call, from when it is told to when it has ended at a pause
CALLS_A_SECOND = 10  # that are told to end, where there is time for it: so many call again elsewhere

MOVES_A_SECOND = 25  # calls that go on at another server: so many resume there

Call = TypeVar("Call", bound=Hashable)


def moves(calls: int, within: float) -> list[float]:
    """After how many seconds each of so many calls is to move: MOVES_A_SECOND, or all in half of the time, spread."""
    every = min(1 / MOVES_A_SECOND, within / 2 / max(1, calls))
    return [(number + random.random()) * every for number in range(calls)]


class DrainPlan(Generic[Call]):
    """The calls, the oldest first, end within `within` seconds from `now` on: the last is told CALL_SECONDS before.

    Each is told as late as that allows: CALLS_A_SECOND, or faster where half of the time is too short for that.
    """

    def __init__(self, calls: Iterable[Call], within: float, now: float) -> None:
        self._left = dict.fromkeys(calls)
        self._last = now + max(0.0, within - CALL_SECONDS)
        self._every = min(1 / CALLS_A_SECOND, (self._last - now) / 2 / max(1, len(self._left)))
        self.call_seconds = min(CALL_SECONDS, within)

    def due(self, now: float) -> tuple[list[Call], float | None]:
        """The calls whose time has come, each once, and in how many seconds to ask again; None if all were told."""
        told = []
        while self._left and (at := self._last - (len(self._left) - 1) * self._every) <= now + 0.001:
            call = next(iter(self._left))
            del self._left[call]
            told.append(call)
        return told, at - now if self._left else None

    def last(self, call: Call) -> None:
        """The call is to be told last."""
        if call in self._left:
            self._left[call] = self._left.pop(call)

    def ended(self, call: Call) -> None:
        """A call has ended by itself."""
        self._left.pop(call, None)


class Draining(Generic[Call]):
    """The drain of a server: before it begins, which calls are spared until the last."""

    def __init__(self) -> None:
        self._spared: set[Call] = set()
        self._plan: DrainPlan[Call] = DrainPlan((), 0.0, 0.0)

    def spare(self, call: Call) -> None:
        """The call is in care: it is told last."""
        self._spared.add(call)
        self._plan.last(call)

    def begin(self, calls: Iterable[Call], within: float, now: float) -> list[Call]:
        """These calls, the oldest first, are to end within so many seconds; returns them in the order of their ends."""
        order = sorted(calls, key=self._spared.__contains__)
        self._plan = DrainPlan(order, within, now)
        return order

    @property
    def call_seconds(self) -> float:
        """The seconds in which each call ends, from when it is told."""
        return self._plan.call_seconds

    def due(self, now: float) -> tuple[list[Call], float | None]:
        """As the DrainPlan's."""
        return self._plan.due(now)

    def ended(self, call: Call) -> None:
        """A call has ended by itself."""
        self._spared.discard(call)
        self._plan.ended(call)
