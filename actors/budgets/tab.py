"""What a user has talked with priced personas, day by day, in the sums of budgets."""

from collections.abc import Mapping

from actors.budgets.days import Days
from actors.budgets.sums import Sum, Sums
from personas.pricing import Pricing
from personas.tab import charge

TALKED = "talked_ms"
PAID = "paid_ms "


class UserTab:
    """Charges talk to the day on which it was: implements Tab of personas/tab.py."""

    def __init__(self, sums: Sums, user: str, days: Days) -> None:
        self._sums, self._user, self._days = sums, user, days

    def charge(self, row: str, pricing: Pricing, ms: int, until: float) -> int:
        """As the Tab's; talk over midnight is charged to both days."""
        return sum(self._charge(day, row, pricing, part) for day, part in self._days.split(ms, until))

    def sums(self, row: str) -> tuple[Sum, ...]:
        """What today's charges in this row are made of: what was talked, and what was paid in it."""
        day = self._days.day()
        return (day, self._user, TALKED), (day, self._user, PAID + row)

    def _charge(self, day: str, row: str, pricing: Pricing, ms: int) -> int:
        sums = self._sums.read(day, self._user)
        talked = sums.get(TALKED, 0)
        paid, price = charge(pricing, ms, talked, sums.get(PAID + row, 0))
        more: Mapping[str, int] = {TALKED: max(ms, -talked), PAID + row: paid}
        self._sums.add(day, self._user, {name: amount for name, amount in more.items() if amount})
        return price
