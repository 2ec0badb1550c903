"""A bounded queue of clips that shares the decoders fairly: whoever used least CPU lately goes next.

Every clip has a sender: a tuple of keys, the widest first, such as (address, user). For each key the queue stores how
many seconds of CPU its clips used. That figure is halved every `HALF_LIFE` seconds, so it is what was used *lately*.

    add(sender, clip) ──▶ waiting (at most `limit`) ── next() ──▶ running on a decoder ── done(entry, seconds) ──▶ used
                             │ full: the clip of whoever has the highest load is returned, and is refused as busy
                             ▼

1. Order. `next` returns the waiting clip whose sender has the least load: the address's first, then the user's, then
   the order of arrival. A load is what was used lately, and an estimate for each clip that the sender has waiting.
2. No starvation. Every fourth call of `next` returns the clip that has waited longest.
3. A reserve. Senders that used more than `HEAVY_SECONDS` lately never run on all decoders at once: one stays free for
   the others, so that one costly clip never delays everybody.

Source: docs/decisions/0034-a-clip-has-a-budget.md.
"""

import time
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

HALF_LIFE = 30.0  # seconds after which half of what was used is forgotten
HEAVY_SECONDS = 1.0  # of CPU, used lately: thirty clips of a phone, or one that was made to be costly
EXPECTED_SECONDS = 0.03  # of CPU, for each clip that waits: a sender that fills the queue has not used anything yet
OLDEST_EVERY = 4  # calls of `next`: each fourth goes to the clip that has waited longest
MOST_KEYS = 2000  # whose use is stored; above that the half that used least is dropped

T = TypeVar("T")
Sender: TypeAlias = tuple[Hashable, ...]
"""Who sent a clip, the widest key first: an address and a user, or a user alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry(Generic[T]):
    """One item of the queue; `number` counts arrivals, so that the lower one came first."""

    sender: Sender
    item: T
    number: int


class FairQueue(Generic[T]):
    """A queue of at most `limit` items in front of `places` decoders.

    `clock` returns monotonic seconds. Nothing here knows of a decoder: the caller reports what each item used.
    """

    def __init__(self, places: int, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._places, self._limit, self._clock = places, limit, clock
        self._waiting: list[Entry[T]] = []
        self._waiting_by_key: Counter[Hashable] = Counter()
        self._heavy_running: set[Entry[T]] = set()
        self._used: dict[Hashable, tuple[float, float]] = {}  # seconds of CPU, and the time at which that was so
        self._arrivals = self._dispatched = 0

    def __len__(self) -> int:
        """How many items wait."""
        return len(self._waiting)

    def add(self, sender: Sender, item: T) -> T | None:
        """Add an item. If the queue is full, remove and return the item of whoever has most load: maybe this one."""
        self._arrivals += 1
        self._waiting.append(Entry(sender, item, self._arrivals))
        self._waiting_by_key.update(sender)
        if len(self._waiting) <= self._limit:
            return None
        return self._remove(max(self._waiting, key=self._rank)).item

    def next(self) -> Entry[T] | None:
        """Remove and return the next entry, which counts as running until `done`.

        None if nothing waits, or if all that waits is of heavy senders and only the reserved place is free.
        """
        now = self._clock()
        heavy_allowed = len(self._heavy_running) < self._places - 1
        eligible = [entry for entry in self._waiting if heavy_allowed or not self._is_heavy(entry.sender, now)]
        if not eligible:
            return None
        self._dispatched += 1
        oldest = self._dispatched % OLDEST_EVERY == 0
        entry = self._remove(eligible[0] if oldest else min(eligible, key=self._rank))
        if self._is_heavy(entry.sender, now):
            self._heavy_running.add(entry)
        return entry

    def done(self, entry: Entry[T], seconds: float) -> None:
        """Record that an entry no longer runs, and that it used so many seconds of CPU."""
        self._heavy_running.discard(entry)
        now = self._clock()
        for key in entry.sender:
            self._used[key] = (self._used_lately(key, now) + seconds, now)
        if len(self._used) > MOST_KEYS:
            most = sorted(self._used, key=lambda key: self._used_lately(key, now))[-MOST_KEYS // 2 :]
            self._used = {key: self._used[key] for key in most}

    def drop(self, item: T) -> bool:
        """Remove an item that still waits. Returns whether it did."""
        found = next((entry for entry in self._waiting if entry.item is item), None)
        return found is not None and self._remove(found) is found

    def clear(self) -> None:
        """Remove all items that wait."""
        self._waiting.clear()
        self._waiting_by_key.clear()

    def _remove(self, entry: Entry[T]) -> Entry[T]:
        self._waiting.remove(entry)
        self._waiting_by_key -= Counter(entry.sender)  # unlike subtract, this leaves no keys with a count of zero
        return entry

    def _rank(self, entry: Entry[T]) -> tuple[float, float, int]:
        widest, narrowest = (entry.sender[0], entry.sender[-1]) if entry.sender else (None, None)
        return self._load(widest), self._load(narrowest), entry.number

    def _load(self, key: Hashable) -> float:
        return self._used_lately(key, self._clock()) + self._waiting_by_key[key] * EXPECTED_SECONDS

    def _is_heavy(self, sender: Sender, now: float) -> bool:
        return bool(sender) and self._used_lately(sender[0], now) > HEAVY_SECONDS

    def _used_lately(self, key: Hashable, now: float) -> float:
        used, at = self._used.get(key, (0.0, now))
        return float(used * 0.5 ** ((now - at) / HALF_LIFE))
