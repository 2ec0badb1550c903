"""When nobody need try: a breaker for the account, and how many connections all calls lost lately."""

from collections import deque
from dataclasses import dataclass, replace

BARRED_SECONDS = 30.0
TRIAL_SECONDS = 30.0

MANY = 20  # as many handshakes as are made at once
MOMENT = 1.0
SPREAD_SECONDS = 2.0  # what a caller hears for so long is mostly what was released to them already


class Losses:
    """When connections of this process were lost lately, whoever's they were: many at once are one cause."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=MANY)

    def spread(self, now: float) -> float:
        """One more is lost: over so many seconds the first tries are to be spread. The first MANY try at once."""
        many = len(self._times) == MANY and now - self._times[0] <= MOMENT
        self._times.append(now)
        return SPREAD_SECONDS if many else 0.0


@dataclass(frozen=True, slots=True)
class Breaker:
    """Whether the upstream serves our account at all, as one session has learnt it for all of them.

    Closed while `barred_at` is None. From the refusal on it is open: no call is let in. After BARRED_SECONDS one is let
    through to try again, while the others are still refused, until it was answered, refused, or had TRIAL_SECONDS.
    """

    barred_at: float | None = None
    trial: object | None = None
    tried_at: float = 0.0

    def barred(self, now: float) -> "Breaker":
        """The upstream has refused our key or our quota."""
        return Breaker(barred_at=now)

    def admits(self, now: float) -> bool:
        """Whether a call may be let in now."""
        if self.barred_at is None:
            return True
        return now - self.barred_at >= BARRED_SECONDS and (self.trial is None or now - self.tried_at >= TRIAL_SECONDS)

    def admitted(self, call: object, now: float) -> "Breaker":
        """A call was let in: while the breaker is open it is the one that tries."""
        return self if self.barred_at is None else replace(self, trial=call, tried_at=now)

    def answered(self, call: object) -> "Breaker":
        """The model has answered this call; of those who were on the line already that proves nothing."""
        return Breaker() if call == self.trial else self

    def ended(self, call: object) -> "Breaker":
        """A call is over; if it was the one that tries, the next may."""
        return replace(self, trial=None) if call == self.trial else self
