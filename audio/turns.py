"""Whose clip goes next: who has used least of the decoders lately, so that costly clips wait for each other."""

import time
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

HALF_LIFE = 30.0  # seconds after which half of what was used is forgotten
HEAVY = 1.0  # seconds of CPU lately: thirty clips of a phone, or one that was made to be costly
EXPECTED = 0.03  # seconds of CPU, of a clip that waits: who fills the queue has not used anything yet
OLDEST_EVERY = 4  # turns: one goes to whoever has waited longest, so that everybody's comes
MOST_KEYS = 2000  # of which it is known what they used; the least are forgotten

T = TypeVar("T")
By: TypeAlias = tuple[Hashable, ...]
"""Who sent a clip, the widest first: an address and a user, or a user alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Turn(Generic[T]):
    """A clip, or whatever takes turns; the lower number came first."""

    by: By
    item: T
    number: int


class Turns(Generic[T]):
    """A bounded queue in front of `places` decoders, and what each caller and address used of them.

    Who used much has one place less than there are: the last one stays for the others.
    """

    def __init__(self, places: int, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._places, self._most, self._clock = places, most, clock
        self._waiting: list[Turn[T]] = []
        self._waiting_by: Counter[Hashable] = Counter()
        self._heavy: set[Turn[T]] = set()  # at work
        self._used: dict[Hashable, tuple[float, float]] = {}  # seconds of CPU, and when that was so
        self._came = self._taken = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, by: By, item: T) -> T | None:
        """Let it wait. Where the queue is full, returns who has to go: one of whoever used most, maybe this one."""
        self._came += 1
        self._waiting.append(Turn(by, item, self._came))
        self._waiting_by.update(by)
        if len(self._waiting) <= self._most:
            return None
        return self._take(max(self._waiting, key=self._rank)).item

    def next(self) -> Turn[T] | None:
        """Whose turn it is; they are at work until `done`. None: nobody waits, or nobody who may have this place."""
        now = self._clock()
        heavy_may = len(self._heavy) < self._places - 1
        able = [turn for turn in self._waiting if heavy_may or not self._is_heavy(turn.by, now)]
        if not able:
            return None
        self._taken += 1
        turn = self._take(able[0] if self._taken % OLDEST_EVERY == 0 else min(able, key=self._rank))
        if self._is_heavy(turn.by, now):
            self._heavy.add(turn)
        return turn

    def done(self, turn: Turn[T], seconds: float) -> None:
        """It is over, and took so many seconds of CPU."""
        self._heavy.discard(turn)
        now = self._clock()
        for key in turn.by:
            self._used[key] = (self._use(key, now) + seconds, now)
        if len(self._used) > MOST_KEYS:
            most = sorted(self._used, key=lambda key: self._use(key, now))[-MOST_KEYS // 2 :]
            self._used = {key: self._used[key] for key in most}

    def drop(self, item: T) -> bool:
        """It need not wait any more; whether it waited."""
        found = next((turn for turn in self._waiting if turn.item is item), None)
        return found is not None and self._take(found) is found

    def clear(self) -> None:
        """Nobody waits any more."""
        self._waiting.clear()
        self._waiting_by.clear()

    def _take(self, turn: Turn[T]) -> Turn[T]:
        self._waiting.remove(turn)
        self._waiting_by -= Counter(turn.by)  # which leaves no zeros
        return turn

    def _rank(self, turn: Turn[T]) -> tuple[float, float, int]:
        widest, narrowest = (turn.by[0], turn.by[-1]) if turn.by else (None, None)
        return self._load(widest), self._load(narrowest), turn.number

    def _load(self, key: Hashable) -> float:
        return self._use(key, self._clock()) + self._waiting_by[key] * EXPECTED

    def _is_heavy(self, by: By, now: float) -> bool:
        return bool(by) and self._use(by[0], now) > HEAVY

    def _use(self, key: Hashable, now: float) -> float:
        used, at = self._used.get(key, (0.0, now))
        return float(used * 0.5 ** ((now - at) / HALF_LIFE))
