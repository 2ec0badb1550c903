"""The limits of a fleet in memory."""

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from functools import partial

from register.lapsing import Lapsing
from register.port import Claim, Epoch, Spent, ToldAge
from register.presence import Presence


class Shared:
    """What nodes share of their limits. `now` is in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.places: defaultdict[str, Lapsing[str, Epoch]] = defaultdict(partial(Lapsing, now))
        self.begun = Lapsing[str, deque[float]](now)
        self.used = Lapsing[str, int](now)
        self.spent = Lapsing[str, int](now)
        self.ages = Lapsing[str, int](now)
        self.opened = 0.0


class MemoryLimits:
    """One node's view of `shared`: asked for at every operation, as it may be lost."""

    def __init__(self, shared: Callable[[], Shared], presence: Presence) -> None:
        self._shared, self._presence = shared, presence

    async def occupy(self, persona: str, claim: Claim, most: int, seconds: float) -> bool:
        self._presence.asked["occupy"] += 1
        places = self._shared().places[persona]
        holder = places.get(claim.user)
        if (holder is None and len(list(places)) >= most) or (holder or 0) > claim.epoch:
            return False
        places.put(claim.user, claim.epoch, seconds)
        return True

    async def vacate(self, persona: str, claim: Claim) -> None:
        self._presence.asked["vacate"] += 1
        places = self._shared().places[persona]
        if (places.get(claim.user) or 0) <= claim.epoch:
            places.drop(claim.user)

    async def begins(self, user: str, most: int, seconds: float) -> bool:
        self._presence.asked["begins"] += 1
        now, times = self._shared().now(), self._shared().begun.get(user) or deque()
        if len(times) >= most and now - times[-most] < seconds:
            return False
        times.append(now)
        self._shared().begun.put(user, deque(times, most), seconds)
        return True

    async def use(self, token: str, most: int, seconds: float, times: int = 1) -> bool:
        self._presence.asked["use"] += 1
        return self._add(self._shared().used, token, times, seconds) <= most

    async def spend(self, spent: Sequence[Spent]) -> tuple[int, ...]:
        self._presence.asked["spend"] += 1
        sums = self._shared().spent
        return tuple(self._add(sums, one.key, one.micro, one.seconds) for one in spent)

    @staticmethod
    def _add(sums: Lapsing[str, int], key: str, more: int, seconds: float) -> int:
        before = sums.get(key)
        if not more:
            return before or 0
        if before is None:
            sums.put(key, more, seconds)
        else:
            sums.change(key, before + more)
        return (before or 0) + more

    async def youngest(self, user: str, told: ToldAge | None) -> ToldAge | None:
        self._presence.asked["youngest"] += 1
        ages = self._shared().ages
        known, left = ages.get(user), ages.left(user)
        if told and (known is None or told.under <= known):
            known, left = told.under, max(told.seconds, left if told.under == known else 0.0)
            ages.put(user, known, left)
        return None if known is None else ToldAge(known, left)

    async def opening(self, a_second: float, within: float) -> float | None:
        self._presence.asked["opening"] += 1
        now = self._shared().now()
        at = max(self._shared().opened + 1 / a_second, now)
        if at - now > within:
            return None
        self._shared().opened = at
        return at - now
