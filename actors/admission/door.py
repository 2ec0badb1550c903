"""Admission of calls: the limits on them, and the breaker."""

from dataclasses import dataclass

from actors.admission.rate import Window
from actors.budgets.spending import Spending
from actors.messages.caller import Close
from actors.services import Limits

RUSH_SECONDS = 1.0  # in which at most `connects` calls begin
USER_SECONDS = 10.0  # in which one user begins at most `calls`, and replaces their own at most `takeovers` times


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a caller is told who is not admitted: an error code of the wire, and the Close."""

    code: str
    close: Close


DRAINING = Refusal("busy", Close(1001, "the server is restarting: call again in a moment"))
FULL = Refusal("busy", Close(4429, "all lines are busy: call again in a minute"))
RUSH = Refusal("busy", Close(4429, "too many calls begin at once: call again in a few seconds"))
TOO_OFTEN = Refusal("busy", Close(4429, "you called too often: wait ten seconds, then call once"))
EVERYWHERE = Refusal("busy", Close(4429, "you called from too many places at once: wait ten seconds, then call once"))
BARRED = Refusal("upstream_refused", Close(4503, "the model does not serve us: call again in a minute"))


class Door:
    """The door decides whether a call is admitted, and says why not. State and arithmetic; the supervisor owns it.

    `now` is in seconds, on a clock that never goes back.
    """

    def __init__(self, limits: Limits, spending: Spending) -> None:
        self.draining = False
        """The server is about to end: no call is admitted."""
        self.account_blocked = False
        """The upstream refuses the server's account: no call is admitted."""
        self._limits, self._spending = limits, spending
        self._rush = Window(limits.connects, RUSH_SECONDS)
        self._often = Window(limits.calls, USER_SECONDS)  # by user, as the next
        self._takeovers = Window(limits.takeovers, USER_SECONDS)

    def is_open(self, calls: int) -> bool:
        """True if a user who has not called lately would be admitted; `calls` is the number of calls now."""
        shut = self.draining or self.account_blocked or self._spending.full()
        return not shut and calls < self._limits.sessions

    def refusal(self, user: str, calls: int, again: bool, now: float) -> Refusal | None:
        """Why this user is not admitted; None if they are, and then it counts. `again`: they have a call already."""
        if self.draining:
            return DRAINING
        if calls >= self._limits.sessions:
            return FULL
        if self._rush.wait(now):
            return RUSH
        if self._often.wait(now, user):
            return TOO_OFTEN
        if self.account_blocked:
            return BARRED
        if over := self._spending.refusal(user):
            return Refusal("budget", Close(4402, over.reason))
        if again and not self._takeovers.take(now, user):
            return EVERYWHERE
        self._rush.count(now)
        self._often.count(now, user)
        return None

    def left(self, user: str) -> None:
        """The user has no call any more: what they took over is forgotten."""
        self._takeovers.forget(user)
