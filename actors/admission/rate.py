"""How often something may happen: the two limiters of whoever limits.

Rate is for a stream: so many a second for ever, and a burst. It keeps one number, and tells of no wait. Window is
for events of which a caller is told "so many in a minute: try again in 7 s": that must be true of any minute, and a
bucket would let through up to twice as many in some. It keeps the time of each event, so they must be few.
"""

from collections import deque
from collections.abc import Hashable


class Rate:
    """A token bucket in one number: the time at which it will be full again. It begins full."""

    __slots__ = ("_each", "_full_at", "_most")

    def __init__(self, a_second: float, burst: float) -> None:
        self._each, self._most = 1 / a_second, burst / a_second
        self._full_at = 0.0

    def take(self, now: float, count: int = 1) -> bool:
        """True if so many more may come; `now` in seconds, on a clock that never goes back."""
        full_at = (self._full_at if self._full_at > now else now) + self._each * count
        if full_at - now > self._most:
            return False
        self._full_at = full_at
        return True

    def owe(self, now: float, count: int) -> float:
        """So many more have come, allowed or not: seconds to wait until they would have been."""
        self._full_at = (self._full_at if self._full_at > now else now) + self._each * count
        return max(0.0, self._full_at - now - self._most)


class Window:
    """A sliding window: at most `most` events, 1 or more, in any `seconds`; of all together, or of each key.

    What asks is not counted by that: `count` says that the event was let through. `now` as for Rate.
    """

    __slots__ = ("_events", "_seconds", "most")

    def __init__(self, most: int, seconds: float) -> None:
        self.most, self._seconds = most, seconds
        self._events: deque[tuple[float, Hashable]] = deque()

    def wait(self, now: float, key: Hashable = None) -> float:
        """Seconds until one more may come, of this key or, without one, of all; 0.0 if it may come now."""
        while self._events and now - self._events[0][0] >= self._seconds:
            self._events.popleft()
        times = [at for at, of in self._events if key is None or of == key]
        return self._seconds - (now - times[-self.most]) if len(times) >= self.most else 0.0

    def count(self, now: float, key: Hashable = None) -> None:
        """One more has come."""
        self._events.append((now, key))

    def take(self, now: float, key: Hashable = None) -> bool:
        """True if one more may come; then it is counted."""
        if self.wait(now, key):
            return False
        self.count(now, key)
        return True

    def forget(self, key: Hashable) -> None:
        """The events of this key count no more."""
        self._events = deque(event for event in self._events if event[1] != key)
