"""How long an ask is deferred when the upstream is over its limit, and how often."""

import re

from realtime.client.gate import Ask
from upstream.facts import Allowance

FIRST_DELAY = 1.0  # doubling
LONGEST_DELAY = 20.0
TRIES = 3
_DELAY = re.compile(r"try again in (\d+(?:\.\d+)?) ?(ms|s|m)\b")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}


class Backoff:
    """What our account has left, as the upstream said last, and the delays that follow from it."""

    def __init__(self) -> None:
        self._allowances: dict[str, Allowance] = {}

    def learn(self, allowances: tuple[Allowance, ...]) -> list[Allowance]:
        """The upstream says what our account has left of some things. Returns what it has left of all."""
        self._allowances |= {allowance.what: allowance for allowance in allowances}
        return list(self._allowances.values())

    def delay(self, ask: Ask, message: str) -> float | None:
        """The seconds to wait before another try of this ask, which is counted; None after TRIES or LONGEST_DELAY."""
        seconds = self._delay(message, ask.tries)
        if ask.tries >= TRIES or ask.waited + seconds > LONGEST_DELAY:
            return None
        ask.tries, ask.waited = ask.tries + 1, ask.waited + seconds
        return seconds

    def _delay(self, message: str, tries: int) -> float:
        """As the message says, else until the limit is reset, else longer each time."""
        if found := _DELAY.search(message):
            return float(found[1]) * _SECONDS[found[2]]
        resets_in = max((at.resets_in for at in self._allowances.values() if at.remaining <= 0), default=0.0)
        return resets_in or FIRST_DELAY * 2**tries
