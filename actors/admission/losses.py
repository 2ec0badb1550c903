"""How many connections all calls have lost lately."""

from actors.admission.rate import Window

MANY = 20  # of the handshakes that are made at once (upstream/link.py) these begin without a pause
MOMENT = 1.0
SPREAD_SECONDS = 2.0  # what a caller hears for so long is mostly what was released to them already


class Losses:
    """It decides over how long the first tries after a loss are spread: many losses at once have one cause.

    It counts the lost connections of all calls of this process. `now` is in seconds, on a clock that never goes back.
    """

    def __init__(self) -> None:
        self._lost = Window(MANY, MOMENT)

    def spread(self, now: float) -> float:
        """One more is lost: the seconds over which its first try is spread. The first MANY of a MOMENT try at once."""
        many = self._lost.wait(now) > 0
        self._lost.count(now)
        return SPREAD_SECONDS if many else 0.0
