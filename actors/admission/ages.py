"""The youngest age that each user told of themselves, for a day: who says 15 today is not 30 in the next call."""

from collections.abc import Callable

from care.ages import Age

DAY = 86_400.0  # seconds
MOST = 10_000  # users; of more, those are forgotten who told theirs first


class ToldAges:
    """It keeps ages of those only who may be under age somewhere. `now` is in seconds, on a clock that goes forward."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._told: dict[str, tuple[Age, float]] = {}  # the age, and when it is forgotten; those told last stand last
        self.heard: Callable[[str], None] = _nobody
        """Is told of each user who tells an age that is kept."""

    def tell(self, user: str, age: Age, now: float) -> None:
        """A user told this age: it holds for a day, unless they told a younger one."""
        if self.learn(user, age, now, DAY):
            self.heard(user)

    def learn(self, user: str, age: Age, now: float, seconds: float) -> bool:
        """A user told this age, perhaps elsewhere; it holds for so long. False if nothing new is known by that."""
        known = self.youngest(user, now)
        if age.under is None or (known and known.under is not None and known.under < age.under):
            return False
        if known == age and self.left(user, now) >= seconds:
            return False
        self._told.pop(user, None)
        self._told[user] = (age, now + seconds)
        while len(self._told) > self._most:
            del self._told[next(iter(self._told))]
        return True

    def youngest(self, user: str, now: float) -> Age | None:
        """The youngest age that this user told within a day; None if none is known, or they are grown up."""
        self._forget(now)
        age, until = self._told.get(user, (None, 0.0))
        return age if until > now else None

    def left(self, user: str, now: float) -> float:
        """For how many more seconds the age of this user is known."""
        return max(0.0, self._told.get(user, (None, 0.0))[1] - now)

    def __len__(self) -> int:
        return len(self._told)

    def _forget(self, now: float) -> None:
        while self._told:
            user = next(iter(self._told))
            if self._told[user][1] > now:
                return
            del self._told[user]


def _nobody(user: str) -> None:
    pass
