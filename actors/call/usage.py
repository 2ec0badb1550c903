"""What the model's work for a call came to, also that of a connection that is retiring; it is booked in the budgets."""

from collections.abc import Callable

from actors.budgets.spending import Low, Over
from actors.call.connection import Caller
from actors.call.watch import Watch
from actors.messages.admission import Drain
from actors.messages.caller import Close, Notice
from actors.services import Services
from upstream.facts import Allowance, Used
from upstream.usage import micro_usd, spent, tokens

LAST_SECONDS = 10.0  # in which a call whose budget is spent ends, at a pause


class Account:
    """The usage of one call; it is counted for the server as well. `told` is told how the call's budgets stand.

    `spending` is what it has spent of them.
    """

    def __init__(self, services: Services, user: str, told: Callable[[Low | Over], None] | None = None) -> None:
        self._counters, self._upstream, self._used = services.counters, services.upstream, Used()
        self.spending, self._told = services.spending.call(user), told

    def count(self, event: Used | Allowance) -> None:
        """Some more was used, or it was told what is left."""
        if isinstance(event, Allowance):
            self._counters.allowances[event.what] = event.remaining
            return
        before, self._used = self._used, self._used + event
        self._counters.used = self._counters.used + event
        prices = self._upstream.prices
        money = micro_usd(self._used, prices) - micro_usd(before, prices)  # so that a call is rounded once
        standing = self.spending.book(tokens(event), money)
        if standing and self._told:
            self._told(standing)

    def told(self) -> dict[str, str]:
        """For the log, with what it costs if that is known."""
        return spent(self._used, self._upstream.prices, counted=self._upstream.can.counts_tokens)


def end_by_budget(caller: Caller, session: Callable[[Drain], None], watch: Watch) -> Callable[[Low | Over], None]:
    """Tells the caller that little is left, or the session that the call ends because nothing is.

    In a call in care nobody hears of a budget of the caller's own.
    """

    def told(standing: Low | Over) -> None:
        if watch.lifted and not standing.whole_server:
            return
        match standing:
            case Low(message):
                caller.tell(Notice("budget", message))
            case Over(reason):
                notice = Notice("budget", f"{reason[0].upper()}{reason[1:]}. This call ends at the next pause.")
                session(Drain(LAST_SECONDS, notice, Close(4402, reason), own=not standing.whole_server))

    return told
