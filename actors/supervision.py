"""Who is restarted, and when it is enough: a table and one pure function."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """What a parent does about a child that ended when it should not have."""

    RESTART = "restart"
    ESCALATE = "escalate"


@dataclass(frozen=True, slots=True)
class Policy:
    """RESTART means at most `limit` ends within `within` seconds; then, as for ESCALATE, the parent ends too."""

    verdict: Verdict
    limit: int = 0
    within: float = 0.0

    def judge(self, ends: Sequence[float], now: float) -> Verdict:
        """The verdict on a child that ended at each of `ends`, seconds on the clock of `now`."""
        recent = sum(now - at <= self.within for at in ends)
        return self.verdict if recent <= self.limit else Verdict.ESCALATE


SESSION_CHILDREN = {
    "persona": Policy(Verdict.ESCALATE),
    "bridge": Policy(Verdict.RESTART, limit=3, within=30.0),
}
