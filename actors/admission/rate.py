"""The two limiters that every limit on frequency uses.

Rate is for streams: so many a second, and a burst. It keeps one number. Window is for rare events, where a caller is
told "so many in a minute: try again in 7 s". That must be true of any minute; a bucket lets up to twice as many through
in some. A window keeps the time of each event.
"""

from collections.abc import Hashable

ROUNDED = 1e-6  # seconds by which a sum of times may be off: a burst of one would be none at every other moment


class Rate:
    """A token bucket, kept as one number: the time at which it will be full again. It begins full."""

    __slots__ = ("_each", "_full_at", "_most")

    def __init__(self, a_second: float, burst: float) -> None:
        self._each, self._most = 1 / a_second, burst / a_second + ROUNDED
        self._full_at = 0.0

    def take(self, now: float, count: int = 1) -> bool:
        """True if so many more are allowed; then they count. `now` is in seconds, on a clock that never goes back."""
        full_at = (self._full_at if self._full_at > now else now) + self._each * count
        if full_at - now > self._most:
            return False
        self._full_at = full_at
        return True

    def wait(self, now: float) -> float:
        """The seconds until one more is allowed."""
        return max(0.0, self._full_at + self._each - self._most - now)

    def owe(self, now: float, count: int) -> float:
        """Count so many more, allowed or not; returns the seconds until they would have been allowed."""
        self._full_at = (self._full_at if self._full_at > now else now) + self._each * count
        return max(0.0, self._full_at - now - self._most)


class Window:
    """A sliding window: at most `most` events in any `seconds`, of all keys together or of one key.

    `most` is 1 or more; `now` as for Rate.
    """

    __slots__ = ("_events", "_seconds", "most")

    def __init__(self, most: int, seconds: float) -> None:
        self.most, self._seconds = most, seconds
        self._events: list[tuple[float, Hashable]] = []

    def wait(self, now: float, key: Hashable = None) -> float:
        """Seconds until one more event is allowed, of this key or, without one, of all; 0.0 if it is allowed now."""
        over = 0
        for at, _ in self._events:
            if now - at < self._seconds:
                break
            over += 1
        del self._events[:over]
        times = [at for at, of in self._events if key is None or of == key]
        return self._seconds - (now - times[-self.most]) if len(times) >= self.most else 0.0

    def count(self, now: float, key: Hashable = None) -> None:
        """Count one more event, allowed or not."""
        self._events.append((now, key))

    def take(self, now: float, key: Hashable = None) -> bool:
        """True if one more event is allowed; then it is counted."""
        if self.wait(now, key):
            return False
        self.count(now, key)
        return True

    @property
    def times(self) -> list[float]:
        """When there was an event, as far as that was not forgotten yet."""
        return [at for at, _ in self._events]

    def take_back(self, key: Hashable) -> None:
        """The newest event of this key was none."""
        newest = next((index for index in reversed(range(len(self._events))) if self._events[index][1] == key), None)
        if newest is not None:
            del self._events[newest]

    def forget(self, key: Hashable) -> None:
        """Forget the events of this key."""
        self._events = [event for event in self._events if event[1] != key]
