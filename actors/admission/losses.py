"""Losses of upstream connections, of all calls of this process."""

from actors.admission.rate import Window

MANY = 20  # of the handshakes that are made at once (upstream/link.py) these begin without a pause
MOMENT = 1.0
SPREAD_SECONDS = 2.0  # what a caller hears for so long is mostly what was released to them already


class Losses:
    """Losses decide over how many seconds the first try after a loss is spread: many losses at once have one cause.

    `now` is in seconds, on a clock that never goes back.
    """

    def __init__(self) -> None:
        self._lost = Window(MANY, MOMENT)

    def spread(self, now: float) -> float:
        """One more connection is lost: the seconds to spread its first try over, 0.0 for the first MANY of a MOMENT."""
        many = self._lost.wait(now) > 0
        self._lost.count(now)
        return SPREAD_SECONDS if many else 0.0
