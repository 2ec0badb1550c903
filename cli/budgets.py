"""Whether the budgets of a server can be kept."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from actors.budgets.limits import Budgets
from cli.failure import CannotServe
from upstream.models import Model


def check_budgets(budgets: Budgets, model: Model) -> None:
    """Raises CannotServe if nobody knows the time zone, or what this model costs where money is limited."""
    try:
        ZoneInfo(budgets.day_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CannotServe(
            f"--day-zone: {budgets.day_zone!r} is no time zone: write one such as Asia/Kolkata.", 2
        ) from None
    money = [limit.name.replace("_", "-") for limit in budgets.limits() if limit.unit == "micro_usd"]
    if money and not model.prices:
        tokens = money[0].replace("usd", "tokens")
        raise CannotServe(
            f"--budget-{money[0]}: what {model.name} costs is not in upstream/models.json: set --budget-{tokens}.", 2
        )
