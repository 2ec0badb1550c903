"""The limits of a fleet in memory."""

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from functools import partial

from register.lapsing import Lapsing
from register.port import Claim, Epoch, Spent
from register.presence import Presence


class Shared:
    """What nodes share of their limits. `now` is in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.places: defaultdict[str, Lapsing[str, Epoch]] = defaultdict(partial(Lapsing, now))
        self.begun = Lapsing[str, deque[float]](now)
        self.used = Lapsing[str, str](now)
        self.spent = Lapsing[str, int](now)
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

    async def use(self, token: str, by: str, seconds: float) -> bool:
        self._presence.asked["use"] += 1
        before = self._shared().used.get(token)
        if before is None:
            self._shared().used.put(token, by, seconds)
        return before in (None, by)

    async def spend(self, spent: Sequence[Spent]) -> tuple[int, ...]:
        self._presence.asked["spend"] += 1
        return tuple(self._spend(one) for one in spent)

    def _spend(self, spent: Spent) -> int:
        before = self._shared().spent.get(spent.key)
        if before is None:
            self._shared().spent.put(spent.key, spent.micro, spent.seconds)
        else:
            self._shared().spent.change(spent.key, before + spent.micro)
        return (before or 0) + spent.micro

    async def opening(self, a_second: float) -> float:
        self._presence.asked["opening"] += 1
        now = self._shared().now()
        self._shared().opened = max(self._shared().opened + 1 / a_second, now)
        return self._shared().opened - now
