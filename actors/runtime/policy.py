"""What a parent does about a child that ended: a row of a table, and one pure function."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf


class Verdict(Enum):
    """What a parent does about a child that ended when it should not have."""

    RESTART = "restart"
    ESCALATE = "escalate"


@dataclass(frozen=True, slots=True)
class Policy:
    """RESTART means at most `limit` ends within `within` seconds; then, as for ESCALATE, the parent ends too.

    The first restart is at once, the next after `pause` seconds, then after twice as long each time, `longest` at most.
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
