"""Estimates how long a turn that comes now would wait for a thread, so that an overloaded engine can refuse it.

Pure: the time is an argument. Load is measured in seconds of work, not in jobs:

1. Cost. A job's cost is its `units` (seconds of audio for the ear, letters for the voice) times a rate. The rate is a
   moving average of the wall-clock time of earlier jobs of its kind, so that on a slow or busy machine it grows.
2. Wait. While a thread is free it is 0, else the sum of the remaining costs of all jobs divided by the threads. A job
   that takes longer than its cost is assumed to need as long again as it is late.
3. Decision (`is_full`). A turn is refused if its wait and its own cost together exceed `limit` seconds. For the first
   turn of a call the wait may be half as long, and so may the average of the last seconds, so that calls in progress
   have priority and a momentary gap admits nobody.

With no job in front of it, every job is accepted: a wrong estimate is corrected by the next job.
Source: docs/decisions/0035.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["ear", "voice"]

LEARNING_RATE: Final = 0.2  # the weight of the newest job in the moving average of the rates
AVERAGE_SECONDS: Final = 5.0  # time constant of the average wait
NEGLIGIBLE: Final = 0.1  # seconds: so short an average wait is always accepted
TURN_UNITS: Final[dict[Kind, float]] = {"ear": 10.0, "voice": 60.0}  # of a usual turn: a clip and the first sentence
FIRST: Final[dict[Kind, float]] = {"ear": 0.05, "voice": 0.002}  # rates before the first job, in seconds per unit


@dataclass(slots=True, eq=False)
class Job:
    """A job that waits, or runs since `began`. `units` are seconds of audio (ear) or letters (voice)."""

    kind: Kind
    units: float
    began: float | None = None


class Load:
    """The jobs that wait or run in a number of `workers`. A turn should be answered within `limit` seconds.

    Every `now` is in seconds of a monotonic clock.
    """

    def __init__(self, workers: int = 1, limit: float = math.inf) -> None:
        self.limit = limit
        self._workers = workers
        self._rates = dict(FIRST)
        self._jobs: set[Job] = set()
        self._average_wait = 0.0
        self._wait = 0.0
        self._updated_at = 0.0

    def __len__(self) -> int:
        """How many jobs wait or run."""
        return len(self._jobs)

    def is_full(self, now: float, *, new: bool) -> bool:
        """True if a turn that comes now would take too long. `new`: it would be the first of its call."""
        wait, allowed = self.wait(now), max(self.limit - self._turn_cost, 0.0)
        if new:
            return wait > allowed / 2 or self.average_wait(now) > max(allowed / 2, NEGLIGIBLE)
        return wait > allowed

    def wait(self, now: float) -> float:
        """Seconds until a job that is added now could begin."""
        if len(self._jobs) < self._workers:
            return 0.0
        return sum(self._remaining(job, now) for job in self._jobs) / self._workers

    def average_wait(self, now: float) -> float:
        """The wait in seconds, exponentially averaged over the last AVERAGE_SECONDS."""
        self._update(now)
        return self._average_wait

    def add(self, job: Job, now: float) -> None:
        """Record that a job waits."""
        self._jobs.add(job)
        self._update(now)

    def begin(self, job: Job, now: float) -> None:
        """Record that a job runs."""
        job.began = now

    def drop(self, job: Job, now: float) -> None:
        """Record that a job was cancelled before it began."""
        self._jobs.discard(job)
        self._update(now)

    def end(self, job: Job, now: float) -> None:
        """Record that a job has ended, and learn its cost."""
        assert job.began is not None
        rate = (now - job.began) / job.units
        self._rates[job.kind] += (rate - self._rates[job.kind]) * LEARNING_RATE
        self.drop(job, now)

    @property
    def _turn_cost(self) -> float:
        """Seconds that a usual turn takes without any wait."""
        return sum(self._rates[kind] * units for kind, units in TURN_UNITS.items())

    def _remaining(self, job: Job, now: float) -> float:
        """The seconds that a job probably still needs; never less than a quarter of its cost while it runs."""
        cost = self._rates[job.kind] * job.units
        return cost if job.began is None else max(abs(job.began + cost - now), cost / 4)

    def _update(self, now: float) -> None:
        weight = 1 - math.exp(-(now - self._updated_at) / AVERAGE_SECONDS)
        self._average_wait += (self._wait - self._average_wait) * weight
        self._wait, self._updated_at = self.wait(now), now
