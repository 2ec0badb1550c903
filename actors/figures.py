"""What is counted while a server serves: plain numbers, written on the loop, read by whoever shows them.

Made once by the command line and handed down with the equipment, so that two servers in one process count apart.
"""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

from realtime.events import Used

STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # seconds; what is later is in the last of all


class Lateness:
    """How late the loop was, each time it was looked at: a histogram, and the worst since that was last taken."""

    def __init__(self) -> None:
        self.counts = [0] * (len(STEPS) + 1)
        self.total = 0.0
        self._worst = 0.0

    def add(self, seconds: float) -> None:
        """It was late by so much."""
        self.counts[bisect_left(STEPS, seconds)] += 1
        self.total += seconds
        self._worst = max(self._worst, seconds)

    def take_worst(self) -> float:
        """The worst since this was last asked, in seconds."""
        worst, self._worst = self._worst, 0.0
        return worst


@dataclass(slots=True)
class Figures:
    """All of them. What exists now (actors, tasks, decoders) is not kept here: it is counted when it is shown."""

    begun: int = 0
    """Sessions let in."""
    ended: Counter[int] = field(default_factory=Counter)
    """Sessions that ended, by the close code of the caller's connection, of whoever closed it; 1006: simply gone."""
    refused: Counter[int] = field(default_factory=Counter)
    """Calls turned away at the door, by close code."""
    messages_refused: Counter[str] = field(default_factory=Counter)
    """What callers said that was refused, by error code; a choice of a persona, too."""
    upstream_lost: int = 0
    """Upstream connections that ended when they should not have."""
    received: int = 0
    """Bytes of callers' frames."""
    sent: int = 0
    """Bytes of frames to callers."""
    barred: bool = False
    """The upstream refuses our account, and new calls are turned away."""
    used: Used = field(default_factory=Used)
    """Tokens that the model and its recogniser told of."""
    allowances: dict[str, float] = field(default_factory=dict)
    """What our account had left of each limit when the upstream last said so."""
    late: Lateness = field(default_factory=Lateness)
