"""Who may come in: the limits on calls, and the breaker."""

from dataclasses import dataclass

from actors.admission.rate import Window
from actors.messages.caller import Close
from actors.services import Limits

RUSH_SECONDS = 1.0  # in which at most `connects` calls begin
USER_SECONDS = 10.0  # in which one user begins at most `calls`, and replaces their own at most `takeovers` times


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a caller who may not come in is told: an error code, and the Close."""

    code: str
    close: Close


DRAINING = Refusal("busy", Close(1001, "the server is restarting: call again in a moment"))
FULL = Refusal("busy", Close(4429, "all lines are busy: call again in a minute"))
RUSH = Refusal("busy", Close(4429, "too many calls begin at once: call again in a few seconds"))
TOO_OFTEN = Refusal("busy", Close(4429, "you called too often: wait ten seconds, then call once"))
EVERYWHERE = Refusal("busy", Close(4429, "you called from too many places at once: wait ten seconds, then call once"))
BARRED = Refusal("upstream_refused", Close(4503, "the model does not serve us: call again in a minute"))


class Door:
    """It decides whether a caller may come in, and why not. State and arithmetic; the supervisor owns it.

    Times are seconds on one clock that never goes back.
    """

    def __init__(self, limits: Limits) -> None:
        self.draining = False
        self.account_blocked = False
        """The upstream refuses our account: nobody may come in."""
        self._limits = limits
        self._rush = Window(limits.connects, RUSH_SECONDS)
        self._often = Window(limits.calls, USER_SECONDS)  # by user, as the next
        self._takeovers = Window(limits.takeovers, USER_SECONDS)

    def is_open(self, calls: int) -> bool:
        """True if somebody who has not called lately would be let in."""
        return not self.draining and not self.account_blocked and calls < self._limits.sessions

    def refusal(self, user: str, calls: int, again: bool, now: float) -> Refusal | None:
        """Why this user may not come in, or None, and then they have. `again`: they are on the line already."""
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
        if again and not self._takeovers.take(now, user):
            return EVERYWHERE
        self._rush.count(now)
        self._often.count(now, user)
        return None

    def left(self, user: str) -> None:
        """They are not on the line any more."""
        self._takeovers.forget(user)
