"""How much work waits in the engine, in seconds: measured, not counted. Pure; whoever drives it says what time it is.

What a job costs is learned from those before it, by the clock on the wall, so that a slow machine, or one that is busy
with something else, is full sooner. A job that runs longer than it should counts from that moment on. With nothing in
front of it every job is taken, so that a bad estimate is corrected by the next one.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["ear", "voice"]

LEARNING: Final = 0.2  # the share of the newest job in what the next ones are expected to cost
RECENT: Final = 5.0  # seconds over which the wait is averaged for those who are new
BLINK: Final = 0.1  # seconds: so short a wait is none
TURN: Final[dict[Kind, float]] = {"ear": 10.0, "voice": 60.0}  # units of a usual turn: a clip, and the first sentence
FIRST: Final[dict[Kind, float]] = {"ear": 0.05, "voice": 0.002}  # seconds a unit, before the first job


@dataclass(slots=True, eq=False)
class Job:
    """Some work that waits, or that runs since `began`; `units` are what its cost grows with."""

    kind: Kind
    units: float
    began: float | None = None


class Load:
    """What waits and what runs in so many `workers`; a turn is to be heard, and answered to, in `most` seconds."""

    def __init__(self, workers: int = 1, most: float = math.inf) -> None:
        self.most = most
        self._workers = workers
        self._rates = dict(FIRST)
        self._jobs: set[Job] = set()
        self._lately = 0.0
        self._wait = 0.0
        self._looked = 0.0

    def __len__(self) -> int:
        return len(self._jobs)

    def is_full(self, now: float, *, new: bool) -> bool:
        """Whether a turn that comes now would take too long. A `new` caller may wait half as long, now and lately."""
        wait, allowed = self.wait(now), max(self.most - self._turn, 0.0)
        if new:
            return wait > allowed / 2 or self.lately(now) > max(allowed / 2, BLINK)
        return wait > allowed

    def wait(self, now: float) -> float:
        """Seconds until all that is here now is done: as long waits what comes now."""
        if len(self._jobs) < self._workers:
            return 0.0
        return sum(self._left(job, now) for job in self._jobs) / self._workers

    def lately(self, now: float) -> float:
        """The wait of the last seconds, on average: it does not jump, so that new callers are not let in by chance."""
        self._look(now)
        return self._lately

    def add(self, job: Job, now: float) -> None:
        """It waits."""
        self._jobs.add(job)
        self._look(now)

    def begin(self, job: Job, now: float) -> None:
        """It runs."""
        job.began = now

    def drop(self, job: Job, now: float) -> None:
        """Nobody wants it any more, and it has not begun."""
        self._jobs.discard(job)
        self._look(now)

    def end(self, job: Job, now: float) -> None:
        """It is done: what it took is what the next ones are expected to take."""
        assert job.began is not None
        took = (now - job.began) / job.units
        self._rates[job.kind] += (took - self._rates[job.kind]) * LEARNING
        self.drop(job, now)

    @property
    def _turn(self) -> float:
        """Seconds that a turn takes by itself."""
        return sum(self._rates[kind] * units for kind, units in TURN.items())

    def _left(self, job: Job, now: float) -> float:
        cost = self._rates[job.kind] * job.units
        # One that is late is taken to need as much again as it is late; and nobody knows to the moment when one ends.
        return cost if job.began is None else max(abs(job.began + cost - now), cost / 4)

    def _look(self, now: float) -> None:
        share = 1 - math.exp(-(now - self._looked) / RECENT)
        self._lately += (self._wait - self._lately) * share
        self._wait, self._looked = self.wait(now), now
