"""What a user is charged for talk: free seconds and begun minutes are counted by the day, over all their calls."""

from collections import Counter
from typing import Protocol

from personas.pricing import Pricing


class Tab(Protocol):
    """One user's priced talk."""

    def charge(self, row: str, pricing: Pricing, ms: int, until: float) -> int:
        """Add so many milliseconds, which ended at `until` on the clock of calls; returns what they cost.

        Less than 0 takes back the last of them. `row` names the persona and the price. Money is in the smallest unit of
        the currency.
        """
        ...


def charge(pricing: Pricing, ms: int, talked: int, paid: int) -> tuple[int, int]:
    """How many of these milliseconds are not free, and what they cost; both below 0 where some are taken back.

    Of the user's day, `talked` milliseconds were priced before, whoever they talked to, and `paid` were paid for in
    this row. All that is charged in a day adds up to the price of the day, however often it is charged.
    """
    free = pricing.free_seconds * 1000
    more = max(-paid, max(0, talked + ms - free) - max(0, talked - free))
    return more, pricing.price_of((paid + more) // 1000) - pricing.price_of(paid // 1000)


class OneDay:
    """A tab of one day, in memory."""

    def __init__(self) -> None:
        self._talked = 0
        self._paid: Counter[str] = Counter()

    def charge(self, row: str, pricing: Pricing, ms: int, until: float) -> int:
        """As the Tab's."""
        paid, price = charge(pricing, ms, self._talked, self._paid[row])
        self._talked = max(0, self._talked + ms)
        self._paid[row] += paid
        return price
