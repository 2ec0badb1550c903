"""Who may come in: the limits on calls, and the breaker. State and arithmetic; the supervisor owns it."""

from collections import deque
from dataclasses import dataclass

from actors.messages.caller import Close
from actors.services import Limits

TAKEOVER_SECONDS = 10.0


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
    """Times are seconds on one clock that never goes back."""

    def __init__(self, limits: Limits) -> None:
        self.draining = False
        self.account_blocked = False
        """The upstream refuses our account: nobody may come in."""
        self._limits = limits
        self._came: deque[tuple[float, str]] = deque()  # who was let in, and when, of the last ten seconds
        self._taken_over: dict[str, deque[float]] = {}

    def is_open(self, calls: int) -> bool:
        """Whether somebody who has not called lately would be let in."""
        return not self.draining and not self.account_blocked and calls < self._limits.sessions

    def refusal(self, user: str, calls: int, again: bool, now: float) -> Refusal | None:
        """Why this user may not come in, or None, and then they have. `again`: they are on the line already."""
        limits = self._limits
        while self._came and now - self._came[0][0] >= TAKEOVER_SECONDS:
            self._came.popleft()
        if self.draining:
            return DRAINING
        if calls >= limits.sessions:
            return FULL
        if sum(now - at < 1.0 for at, _ in self._came) >= limits.connects:
            return RUSH
        if sum(caller == user for _, caller in self._came) >= limits.calls:
            return TOO_OFTEN
        if self.account_blocked:
            return BARRED
        if again and self._takes_over_too_often(user, now):
            return EVERYWHERE
        self._came.append((now, user))
        return None

    def left(self, user: str) -> None:
        """They are not on the line any more."""
        self._taken_over.pop(user, None)

    def _takes_over_too_often(self, user: str, now: float) -> bool:
        times = self._taken_over.setdefault(user, deque(maxlen=self._limits.takeovers))
        if len(times) == times.maxlen and now - times[0] < TAKEOVER_SECONDS:
            return True
        times.append(now)
        return False
