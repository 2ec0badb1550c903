"""Whether the register is here or away: what metrics, the log and decisions read."""

import logging
from collections import Counter
from collections.abc import Callable

log = logging.getLogger("register")


class Presence:
    """Here or away, since when, and how often it was away. `now` is in seconds, on a clock that never goes back."""

    def __init__(self, now: Callable[[], float], here: bool = True, what: str = "the register") -> None:
        self.here, self.reason = here, "" if here else "it is not connected yet"
        self.times_away = 0
        self.asked: Counter[str] = Counter()
        """Operations by name."""
        self.unanswered: Counter[str] = Counter()
        """Those of them that raised RegisterAway."""
        self._now, self._what = now, what
        self._since = now()
        self._told: list[Callable[[bool], None]] = []

    @property
    def seconds(self) -> float:
        """Since it came, or went."""
        return self._now() - self._since

    def on_change(self, told: Callable[[bool], None]) -> None:
        """Tell this of each coming (True) and going (False), on the event loop."""
        self._told.append(told)

    def went(self, reason: str) -> None:
        """It does not answer; `reason` is for the log and holds no secret."""
        self.reason = reason
        if self.here:
            self.times_away += 1
            log.warning("%s is away: %s", self._what, reason)
            self._change(False)

    def came(self) -> None:
        """It answers."""
        if not self.here:
            log.info("%s is here after %.1f s", self._what, self.seconds)
            self.reason = ""
            self._change(True)

    def _change(self, here: bool) -> None:
        self.here, self._since = here, self._now()
        for told in self._told:
            told(here)
