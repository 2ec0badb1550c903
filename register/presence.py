"""Whether the register is here or away: what metrics, the log and decisions read."""

import logging
from collections import Counter
from collections.abc import Callable

log = logging.getLogger("register")

NOT_YET = "it is not connected yet"


class Presence:
    """Here or away, since when, and how often it was away. `now` is in seconds, on a clock that never goes back."""

    def __init__(self, now: Callable[[], float], here: bool = True) -> None:
        self.here, self.reason = here, "" if here else NOT_YET
        self.times_away = 0
        self.asked: Counter[str] = Counter()
        """Operations by name."""
        self.unanswered: Counter[str] = Counter()
        """Those of them that raised RegisterAway."""
        self._now = now
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
        news, self.reason = self.here or self.reason == NOT_YET, reason
        if news:
            self.times_away += 1
            log.warning("the register is away: %s", reason)
        if self.here:
            self._change(False)

    def came(self) -> None:
        """It answers."""
        if not self.here:
            log.info("the register is here after %.1f s", self.seconds)
            self.reason = ""
            self._change(True)

    def _change(self, here: bool) -> None:
        self.here, self._since = here, self._now()
        for told in self._told:
            told(here)
