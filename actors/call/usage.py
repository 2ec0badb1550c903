"""What the model's work for a call came to, also that of a connection that is retiring."""

from actors.counters import Figures
from upstream.facts import Allowance, Used
from upstream.models import Prices
from upstream.usage import spent


class Account:
    """Of one call; what is counted goes into the figures of the server as well."""

    def __init__(self, figures: Figures) -> None:
        self._figures, self._used = figures, Used()

    def count(self, event: Used | Allowance) -> None:
        """Some more was used, or it was told what is left."""
        if isinstance(event, Used):
            self._used, self._figures.used = self._used + event, self._figures.used + event
        else:
            self._figures.allowances[event.what] = event.remaining

    def told(self, prices: Prices | None) -> dict[str, str]:
        """For the log, with what it costs at these prices."""
        return spent(self._used, prices)
