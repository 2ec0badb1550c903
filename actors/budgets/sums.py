"""Remembers sums by period and by whom: what was spent, and how long was talked. In memory, or behind the same verbs.

A period is a day ("2026-11-29") or an hour of UTC ("2026-11-29T23"); `who` is a user, or EVERYBODY.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

EVERYBODY = ""
PERIODS_KEPT = 2  # of each kind: this one, and the one before it, of which some is told late
USERS_KEPT = 50_000  # in a period; beyond that, whoever came to something longest ago is forgotten
NOTHING: Mapping[str, int] = {}

Key = tuple[str, str]
Sum = tuple[str, str, str]
"""A period, by whom, and the name of what is added up."""


class Sums(Protocol):
    """They are added to and never set, so that several servers may share them."""

    def read(self, period: str, who: str) -> Mapping[str, int]:
        """The sums, each by its name; what is not there is 0."""
        ...

    def add(self, period: str, who: str, more: Mapping[str, int]) -> None:
        """Add to the sums."""
        ...


class Memory:
    """The sums of one process. With `noting`, `take_changed` says what there is to write down."""

    def __init__(self, users: int = USERS_KEPT) -> None:
        self.noting = False
        self._users = users
        self._periods: dict[str, dict[str, dict[str, int]]] = {}
        self._changed: dict[Key, None] = {}

    def read(self, period: str, who: str) -> Mapping[str, int]:
        """As of Sums."""
        return self._periods.get(period, {}).get(who, NOTHING)

    def add(self, period: str, who: str, more: Mapping[str, int]) -> None:
        """As of Sums."""
        if period not in self._periods:
            self._begin(period)
        of_period = self._periods[period]
        sums = of_period.pop(who, {})
        for name, amount in more.items():
            sums[name] = sums.get(name, 0) + amount
        of_period[who] = sums
        if len(of_period) > self._users + 1:
            del of_period[next(one for one in of_period if one != EVERYBODY)]
        if self.noting:
            self._changed[period, who] = None

    def take_changed(self) -> dict[Key, dict[str, int]]:
        """The sums that have changed since this was asked last."""
        changed, self._changed = self._changed, {}
        return {key: dict(self.read(*key)) for key in changed}

    def put_back(self, keys: Iterable[Key]) -> None:
        """These could not be written down."""
        self._changed |= dict.fromkeys(keys)

    @property
    def periods(self) -> list[str]:
        """The periods of which something is remembered."""
        return list(self._periods)

    def _begin(self, period: str) -> None:
        kind = sorted(one for one in self._periods if len(one) == len(period))
        for old in kind[: max(0, len(kind) + 1 - PERIODS_KEPT)]:
            del self._periods[old]
        self._periods[period] = {}
