"""How often a caller may switch: so many times a minute, and the first choice is none."""

import math
from collections import deque

from schemas import Refused

MINUTE = 60.0


class Switches:
    """`now` is in seconds, on a clock that never goes back."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: deque[float] = deque(maxlen=most)
        self._chosen = False

    def take(self, now: float) -> None:
        """One more choice is about to be granted. Raises Refused: switch_too_often."""
        if self._chosen:
            if len(self._times) == self._most and now - self._times[0] < MINUTE:
                wait = math.ceil(self._times[0] + MINUTE - now)
                times = "once" if self._most == 1 else f"{self._most} times"
                raise Refused("switch_too_often", f"You switched {times} in a minute: try again in {wait} s.")
            self._times.append(now)
        self._chosen = True
