"""How often something may happen: the one limiter of whoever limits."""


class Rate:
    """A token bucket in one number: the time at which it will be full again. It begins full."""

    __slots__ = ("_each", "_full_at", "_most")

    def __init__(self, a_second: float, burst: float) -> None:
        self._each, self._most = 1 / a_second, burst / a_second
        self._full_at = 0.0

    def take(self, now: float, count: int = 1) -> bool:
        """Whether so many more may come; `now` in seconds, on a clock that never goes back."""
        full_at = (self._full_at if self._full_at > now else now) + self._each * count
        if full_at - now > self._most:
            return False
        self._full_at = full_at
        return True

    def owe(self, now: float, count: int) -> float:
        """So many more have come, allowed or not: seconds to wait until they would have been."""
        self._full_at = (self._full_at if self._full_at > now else now) + self._each * count
        return max(0.0, self._full_at - now - self._most)
