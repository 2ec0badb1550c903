"""How long users have talked since they were reminded that an AI speaks: over calls, as far as this process knows."""

from collections import OrderedDict

REMINDED_SECONDS = 3 * 3600.0
"""Of talk, after which a user is told again."""

MOST_USERS = 10_000  # that are remembered: of more, whoever called longest ago is forgotten


class Talks:
    """By user, the seconds of talk in calls that have ended, since they were reminded."""

    def __init__(self) -> None:
        self._seconds: OrderedDict[str, float] = OrderedDict()

    def left(self, user: str) -> float:
        """The seconds of talk until this user is to be reminded."""
        return max(0.0, REMINDED_SECONDS - self._seconds.get(user, 0.0))

    def add(self, user: str, seconds: float, *, reminded: bool) -> None:
        """A call has ended with so many seconds of talk, or so many since the user was reminded in it."""
        before = self._seconds.pop(user, 0.0)
        self._seconds[user] = seconds if reminded else before + seconds
        if len(self._seconds) > MOST_USERS:
            self._seconds.popitem(last=False)
