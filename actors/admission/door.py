"""Admission of calls: the limits on them, and the breaker."""

from collections import Counter
from dataclasses import dataclass, replace
from math import ceil

from actors.admission.rate import Window
from actors.budgets.spending import Spending
from actors.messages.caller import Close
from actors.runtime.watchdog import LoopLag
from actors.services import Limits

RUSH_SECONDS = 1.0  # in which at most `connects` calls begin
USER_SECONDS = 10.0  # in which one user begins at most `calls`, and replaces their own at most `takeovers` times


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a caller is told who is not admitted: an error code of the wire, the Close, and the limit, if any."""

    code: str
    close: Close
    limit: str = ""
    retry_after: int = 0
    """In seconds."""

    def in_(self, wait: float) -> "Refusal":
        """With the seconds after which another try is worth it."""
        return replace(self, retry_after=max(1, ceil(wait)))


DRAINING = Refusal("busy", Close(1001, "the server is restarting: call again in a moment"))
FULL = Refusal("busy", Close(4429, "all lines are busy: call again in a minute"), "sessions", 60)
LATE = Refusal("busy", Close(4429, "the server has more to do than it can: call again in some seconds"), "late_ms", 5)
CROWDED = Refusal(
    "busy", Close(4429, "too many calls of your address are open: end one, then call again"), "address_calls", 30
)
RUSH = Refusal("busy", Close(4429, "too many calls begin at once: call again in a few seconds"), "connects")
TOO_OFTEN = Refusal("busy", Close(4429, "you called too often: wait ten seconds, then call once"), "calls")
EVERYWHERE = Refusal(
    "busy", Close(4429, "you called from too many places at once: wait ten seconds, then call once"), "takeovers"
)
BARRED = Refusal("upstream_refused", Close(4503, "the model does not serve us: call again in a minute"))


class Door:
    """The door decides whether a call is admitted, and says why not. State and arithmetic; the supervisor owns it.

    `now` is in seconds, on a clock that never goes back.
    """

    def __init__(self, limits: Limits, spending: Spending, lag: LoopLag) -> None:
        self.draining = False
        """The server is about to end: no call is admitted."""
        self.account_blocked = False
        """The upstream refuses the server's account: no call is admitted."""
        self._limits, self._spending, self._lag = limits, spending, lag
        self._calls: Counter[str] = Counter()  # by address
        self._rush = Window(limits.connects, RUSH_SECONDS)
        self._often = Window(limits.calls, USER_SECONDS)  # by user, as the next
        self._takeovers = Window(limits.takeovers, USER_SECONDS)

    def is_open(self, calls: int) -> bool:
        """True if a user who has not called lately would be admitted; `calls` is the number of calls now."""
        shut = self.draining or self.account_blocked or self._is_late() or self._spending.full()
        return not shut and calls < self._limits.sessions

    def refusal(self, user: str, calls: int, again: bool, now: float, address: str = "") -> Refusal | None:
        """Why this user is not admitted; None if they are, and then it counts until `ended`.

        `again`: they have a call already. `address` is empty if it has no limits.
        """
        if self.draining:
            return DRAINING
        if found := self._full(calls, again, address) or self._hurried(user, now):
            return found
        if self.account_blocked:
            return BARRED
        if over := self._of_budget(user):
            return over
        if again and not self._takeovers.take(now, user):
            return EVERYWHERE.in_(self._takeovers.wait(now, user))
        self._rush.count(now)
        self._often.count(now, user)
        self._calls[address] += 1
        return None

    def took(self, address: str) -> None:
        """A call of another node goes on here: it counts until `ended`, and is refused for no limit of an address."""
        self._calls[address] += 1

    def late_refusal(self, user: str) -> Refusal | None:
        """What has become true of a user since they were not refused; None if they may still be admitted."""
        if self.draining:
            return DRAINING
        if self.account_blocked:
            return BARRED
        return self._of_budget(user)

    def take_back(self, user: str, again: bool, address: str) -> None:
        """A call that counts already is not admitted after all; `again` as it was then."""
        self._often.take_back(user)
        if again:
            self._takeovers.take_back(user)
        self.ended(address)

    def ended(self, address: str) -> None:
        """A call of this address that was admitted has ended."""
        self._calls[address] -= 1
        if not self._calls[address]:
            del self._calls[address]

    def left(self, user: str) -> None:
        """The user has no call any more: what they took over is forgotten."""
        self._takeovers.forget(user)

    def _of_budget(self, user: str) -> Refusal | None:
        over = self._spending.refusal(user)
        return Refusal("budget", Close(4402, over.reason)) if over else None

    def _is_late(self) -> bool:
        return self._lag.recent * 1000 > self._limits.late_ms

    def _full(self, calls: int, again: bool, address: str) -> Refusal | None:
        if calls >= self._limits.sessions:
            return FULL
        if self._is_late():
            return LATE
        if address and not again and self._calls[address] >= self._limits.address_calls:
            return CROWDED
        return None

    def _hurried(self, user: str, now: float) -> Refusal | None:
        if wait := self._rush.wait(now):
            return RUSH.in_(wait)
        if wait := self._often.wait(now, user):
            return TOO_OFTEN.in_(wait)
        return None
