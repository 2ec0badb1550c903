"""Supervision: what a parent does about a child that ended is a row of a table and a pure function."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf


class Verdict(Enum):
    """What a parent does about a child that ended unexpectedly."""

    RESTART = "restart"
    ESCALATE = "escalate"


@dataclass(frozen=True, slots=True)
class Policy:
    """RESTART: a child may end `limit` times in `within` seconds; one more ends the parent, as with ESCALATE.

    The first restart is at once, the second after `pause` seconds, each further one after twice as long, at most
    `longest`.
    """

    verdict: Verdict
    limit: int = 0
    within: float = 0.0
    pause: float = 0.0
    longest: float = inf

    def judge(self, ends: Sequence[float], now: float) -> Verdict:
        """The verdict on a child that ended at each of `ends`, seconds on the clock of `now`."""
        return self.verdict if self._recent(ends, now) <= self.limit else Verdict.ESCALATE

    def wait(self, ends: Sequence[float], now: float) -> float:
        """Seconds until the next restart is due; 0 when it is."""
        doublings = self._recent(ends, now) - 2
        due = ends[-1] + min(self.pause * 2**doublings, self.longest) if doublings >= 0 else now
        return max(0.0, due - now)

    def _recent(self, ends: Sequence[float], now: float) -> int:
        return sum(now - at <= self.within for at in ends)
