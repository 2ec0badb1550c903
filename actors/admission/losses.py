"""How many connections all calls have lost lately."""

from collections import deque

MANY = 20  # of the handshakes that are made at once (upstream/link.py) these begin without a pause
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
