"""When each call of a server that is about to end is told so: late, and not all in one moment."""

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

CALL_SECONDS = 10.0  # of a call, from when it is told to when it has ended at a pause
CALLS_A_SECOND = 10  # that are told to end, where there is time for it: so many call again elsewhere

Call = TypeVar("Call", bound=Hashable)


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

    def ended(self, call: Call) -> None:
        """A call has ended by itself."""
        self._left.pop(call, None)
