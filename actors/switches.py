"""How often a caller may switch: so many times a minute. The first choice that is granted is none."""

import math

from schemas import Refused

MINUTE = 60.0


class Switches:
    """A choice counts from when it is asked for, unless it is refused.

    `now` is in seconds, on a clock that never goes back.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: dict[int, float] = {}  # by choice: those of the last minute that count
        self._begun = False

    def ask(self, choice: int, now: float) -> None:
        """One more choice is asked for. Raises Refused: switch_too_often."""
        self._times = {number: at for number, at in self._times.items() if now - at < MINUTE}
        if len(self._times) >= self._most + (not self._begun):
            wait = math.ceil(next(iter(self._times.values())) + MINUTE - now)
            times = "once" if self._most == 1 else f"{self._most} times"
            raise Refused("switch_too_often", f"You switched {times} in a minute: try again in {wait} s.")
        self._times[choice] = now

    def granted(self, choice: int) -> None:
        """It counts, unless nobody was on the line before."""
        if not self._begun:
            self._begun = True
            self.refused(choice)

    def refused(self, choice: int) -> None:
        """It does not count."""
        self._times.pop(choice, None)
