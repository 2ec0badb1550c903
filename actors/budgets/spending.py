"""What calls have spent, held against the limits as it is booked: whole tokens, and whole millionths of a dollar.

What a response costs is known when it is over. So a limit is exceeded by what is under way when it is reached: one
response of each call.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TypeAlias
from zoneinfo import ZoneInfo

from actors.budgets.days import Days
from actors.budgets.limits import LOW_SHARE, Budgets, Limit, Scope
from actors.budgets.sums import EVERYBODY, Sum, Sums
from actors.budgets.tab import UserTab
from actors.runtime import Clock


@dataclass(frozen=True, slots=True)
class Low:
    """Little is left of a limit; `message` is for the caller. `whole_server`: the limit is not the caller's own."""

    message: str
    whole_server: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Over:
    """Nothing is left of a limit; `reason` is for the caller. `whole_server` as of Low."""

    reason: str
    whole_server: bool = field(default=False, compare=False)


WHOLE_SERVER = (Scope.HOUR, Scope.DAY)

Standing: TypeAlias = Low | Over | None


class Spending:
    """The spending of a server. `stopped` counts calls that ended or did not begin, by the name of the limit."""

    def __init__(self, budgets: Budgets, sums: Sums, clock: Clock) -> None:
        self.limits = budgets.limits()
        self.stopped: Counter[str] = Counter()
        self._days = Days(clock, ZoneInfo(budgets.day_zone))
        self._sums = sums

    def refusal(self, user: str) -> Over | None:
        """Why this user may not begin a call now, and then it is counted; None if they may."""
        found = self._reached(user, (Scope.USER, Scope.HOUR, Scope.DAY))
        return self.stop(found) if found else None

    def full(self) -> bool:
        """True if nobody may begin a call now."""
        return self._reached(EVERYBODY, (Scope.HOUR, Scope.DAY)) is not None

    def shares(self) -> dict[str, float]:
        """How much of each limit of the whole server is spent, by its name: 1 is all of it."""
        limits = [limit for limit in self.limits if limit.scope in (Scope.HOUR, Scope.DAY)]
        return {limit.name: self.spent(limit, EVERYBODY) / limit.most for limit in limits}

    def call(self, user: str) -> "CallSpending":
        """For one call of this user."""
        return CallSpending(self, user)

    def tab(self, user: str) -> UserTab:
        """What this user has talked, day by day."""
        return UserTab(self._sums, user, self._days)

    def book(self, user: str, more: dict[str, int]) -> None:
        """Add to what this user and the server have spent."""
        scopes = {limit.scope for limit in self.limits}
        for scope in scopes & {Scope.USER, Scope.HOUR, Scope.DAY}:
            self._sums.add(*self._key(scope, user), more)

    def spent(self, limit: Limit, user: str) -> int:
        """How much of a limit is spent that is not of one call."""
        return self._sums.read(*self._key(limit.scope, user)).get(limit.unit, 0)

    def sums_of(self, user: str) -> tuple[Sum, ...]:
        """What limits this user's calls at present; of EVERYBODY, all calls."""
        scopes = (Scope.HOUR, Scope.DAY) if user == EVERYBODY else (Scope.USER,)
        return tuple((*self._key(limit.scope, user), limit.unit) for limit in self.limits if limit.scope in scopes)

    def stop(self, limit: Limit) -> Over:
        """Nothing is left of this limit: a call ends, or does not begin."""
        self.stopped[limit.name] += 1
        when = self._days.next_hour() if limit.scope is Scope.HOUR else self._days.next_day()
        return Over(limit.spent(when), limit.scope in WHOLE_SERVER)

    def _reached(self, user: str, scopes: Iterable[Scope]) -> Limit | None:
        found = (limit for limit in self.limits if limit.scope in scopes and self.spent(limit, user) >= limit.most)
        return next(found, None)

    def _key(self, scope: Scope, user: str) -> tuple[str, str]:
        """The period and the owner of its sums."""
        period = self._days.hour() if scope is Scope.HOUR else self._days.day()
        return period, user if scope is Scope.USER else EVERYBODY


class CallSpending:
    """The spending of one call: it is told once that little is left, and once that nothing is.

    A call that goes on without anything of its own is told, too, that the whole server has nothing left.
    """

    def __init__(self, spending: Spending, user: str) -> None:
        self._spending, self._user = spending, user
        self._spent: Counter[str] = Counter()
        self._told = False
        self._stopped: set[bool] = set()  # whether by a limit of the whole server, or by the caller's own

    @property
    def spent(self) -> tuple[int, int]:
        """Tokens, and money."""
        return self._spent["tokens"], self._spent["micro_usd"]

    def adopt(self, tokens: int, micro_usd: int) -> None:
        """The call has spent so much on another node, where it was booked."""
        self._spent.update({"tokens": tokens, "micro_usd": micro_usd})

    def book(self, tokens: int, micro_usd: int) -> Standing:
        """The call has spent so much more: how it stands, if the caller is to be told."""
        if not self._spending.limits:
            return None
        more = {"tokens": tokens, "micro_usd": micro_usd}
        self._spent.update(more)
        self._spending.book(self._user, more)
        going_on = [one for one in self._spending.limits if (one.scope in WHOLE_SERVER) not in self._stopped]
        share, limit = max(((self._share(one), one) for one in going_on), key=itemgetter(0), default=(0.0, None))
        if limit and share >= 1:
            self._stopped.add(limit.scope in WHOLE_SERVER)
            return self._spending.stop(limit)
        if limit and share >= LOW_SHARE and not self._told and not self._stopped:
            self._told = True
            return Low(limit.low, limit.scope in WHOLE_SERVER)
        return None

    def _share(self, limit: Limit) -> float:
        spent = self._spent[limit.unit] if limit.scope is Scope.CALL else self._spending.spent(limit, self._user)
        return spent / limit.most
