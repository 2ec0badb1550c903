"""A dictionary whose values lapse."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

LEAST_SWEPT = 1000  # values; then whenever there are twice as many as were left


class Lapsing(Generic[K, V]):
    """Each value is there for so many seconds after it was put. `now` is in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._kept: dict[K, tuple[V, float]] = {}
        self._sweep_at = LEAST_SWEPT

    def get(self, key: K) -> V | None:
        """The value, or None if it has lapsed or was never there."""
        value, until = self._kept.get(key, (None, 0.0))
        return value if until > self._now() else None

    def left(self, key: K) -> float:
        """For how many more seconds the value is there; 0 if it is not."""
        return max(0.0, self._kept.get(key, (None, 0.0))[1] - self._now())

    def put(self, key: K, value: V, seconds: float) -> None:
        """Keep this value, in place of another of the same key."""
        self._kept[key] = (value, self._now() + seconds)
        if len(self._kept) >= self._sweep_at:
            self._kept = {key: kept for key, kept in self._kept.items() if kept[1] > self._now()}
            self._sweep_at = max(LEAST_SWEPT, 2 * len(self._kept))

    def change(self, key: K, value: V) -> None:
        """Another value, which lapses when the one before would have."""
        self._kept[key] = (value, self._kept[key][1])

    def drop(self, key: K) -> None:
        """Forget a value."""
        self._kept.pop(key, None)

    def __iter__(self) -> Iterator[K]:
        """The keys whose values are there."""
        now = self._now()
        return iter([key for key, (_, until) in self._kept.items() if until > now])
