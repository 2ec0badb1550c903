"""What the model's work for a call came to, also that of a connection that is retiring."""

from actors.counters import Counters
from upstream.facts import Allowance, Used
from upstream.models import Prices
from upstream.usage import spent


class Account:
    """The usage of one call; it is counted for the server as well."""

    def __init__(self, counters: Counters) -> None:
        self._counters, self._used = counters, Used()

    def count(self, event: Used | Allowance) -> None:
        """Some more was used, or it was told what is left."""
        if isinstance(event, Used):
            self._used, self._counters.used = self._used + event, self._counters.used + event
        else:
            self._counters.allowances[event.what] = event.remaining

    def told(self, prices: Prices | None, *, counted: bool) -> dict[str, str]:
        """For the log, with what it costs at these prices; `counted` as in `spent`."""
        return spent(self._used, prices, counted=counted)
