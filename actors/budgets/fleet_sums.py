"""Sums that several servers share: each adds to its own, is told what all have added, and reads without waiting.

    add ──▶ the sums here ──▶ read                  at once, in an actor's turn
      └──▶ untold ──▶ the register's total          told by a task (actors/fleet/telling.py)
                          └──▶ the sums here        raised to what all have added

What is told is never told again, as it may have counted. The sums here never fall by what the register answers: a
register that has lost its data answers less than was known, and the difference is added to its answers from then on.
"""

from collections.abc import Mapping

from actors.budgets.sums import PERIODS_KEPT, Memory, Sum

MOST = 200_000  # sums that are noted for the register; beyond that what was noted first is of this server alone


class FleetSums:
    """Implements Sums over those of this server, and notes what is to be told."""

    def __init__(self, sums: Memory) -> None:
        self._sums = sums
        self._untold: dict[Sum, int] = {}
        self._unknown: dict[Sum, int] = {}  # what is known here, and the register does not know (any more)
        self._raised: set[Sum] = set()  # since something was taken to be told: the answer may be older than that
        self.losses = 0
        """How often the register knew less than was known here: an answer to an earlier question is of no use then."""

    def read(self, period: str, who: str) -> Mapping[str, int]:
        """As of Sums."""
        return self._sums.read(period, who)

    def add(self, period: str, who: str, more: Mapping[str, int]) -> None:
        """As of Sums."""
        self._sums.add(period, who, more)
        for name, amount in more.items():
            _add(self._untold, (period, who, name), amount)

    def take_untold(self) -> dict[Sum, int]:
        """What was added since this was asked last, but for periods that are over long ago."""
        untold, self._untold = self._untold, {}
        self._raised.clear()
        return {one: amount for one, amount in untold.items() if amount and not self._is_past(one[0])}

    def put_back(self, untold: Mapping[Sum, int]) -> None:
        """These were not told."""
        for one, amount in untold.items():
            _add(self._untold, one, amount)

    def learned(self, one: Sum, total: int) -> None:
        """All servers have added so much; nothing was told with the question."""
        missing = self._missing(one, total)
        if missing > 0:
            self._raise(one, missing)

    def answered(self, one: Sum, total: int) -> None:
        """All servers have added so much, with what was told in the question: only one of these is asked at a time."""
        missing = self._missing(one, total)
        if missing > 0:
            self._raise(one, missing)
        elif missing < 0 and one not in self._raised:
            _add(self._unknown, one, -missing)
            self.losses += 1

    def _missing(self, one: Sum, total: int) -> int:
        """What others have added that is not known here; below 0 what is known here and not there."""
        period, who, name = one
        if self._is_past(period):
            return 0
        known = self._sums.read(period, who).get(name, 0) - self._untold.get(one, 0)
        return total + self._unknown.get(one, 0) - known

    def _raise(self, one: Sum, by: int) -> None:
        period, who, name = one
        self._sums.add(period, who, {name: by})
        self._raised.add(one)

    def forget_past(self) -> None:
        """Forget what the register does not know of periods that are over long ago."""
        for one in [one for one in self._unknown if self._is_past(one[0])]:
            del self._unknown[one]

    def _is_past(self, period: str) -> bool:
        kind = [one for one in self._sums.periods if len(one) == len(period)]
        return len(kind) >= PERIODS_KEPT and period < min(kind)


def key_of(one: Sum) -> str:
    """The name of a sum in the register: no two sums have the same, whatever a user is called."""
    period, who, name = one
    return f"{period} {len(who)} {who} {name}"


def _add(to: dict[Sum, int], one: Sum, amount: int) -> None:
    to[one] = to.get(one, 0) + amount
    if len(to) > MOST:
        del to[next(iter(to))]
