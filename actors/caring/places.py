"""Which calls may be in care: so many at once, and so many of one user a day."""

import datetime
import unicodedata
from collections import Counter

from actors.caring.settings import Caring


class Places:
    """Those of a server. In a call without one, help is named and the limits hold."""

    def __init__(self, caring: Caring) -> None:
        self._caring = caring
        self._day = datetime.date.min
        self._calls: Counter[str] = Counter()  # in care today, by user
        self.taken = 0
        """Calls in care now."""

    def take(self, user: str, day: datetime.date, *, again: bool = False) -> bool:
        """A call of this user is in care from now on; False if it may not be. `again`: it was so elsewhere before."""
        if day != self._day:
            self._day, self._calls = day, Counter()
        if self.taken >= self._caring.care_at_once:
            return False
        one = _however_written(user)
        if not again and self._calls[one] >= self._caring.care_calls:
            return False
        self._calls[one] += 1
        self.taken += 1
        return True

    def leave(self) -> None:
        """A call in care is over."""
        self.taken -= 1


def _however_written(user: str) -> str:
    """One name for all spellings of a user: in capitals or not, in wide letters, with joiners that nobody sees."""
    plain = unicodedata.normalize("NFKC", user).casefold()
    return "".join(letter for letter in plain if unicodedata.category(letter) != "Cf")
