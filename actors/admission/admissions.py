"""Who is let in: the door decides, and with a register the fleet counts the call before it begins."""

from collections import Counter
from collections.abc import Callable
from typing import Protocol

from actors.admission.door import TOO_OFTEN, USER_SECONDS, Door, Refusal
from actors.messages.admission import Connected
from actors.messages.caller import Error
from actors.messages.fleet import Counted
from actors.services import Services


class FleetCalls(Protocol):
    """Asks the register, and never waits for it."""

    def begins(self, caller: Connected, again: bool) -> None:
        """Count a call of this caller's user: the supervisor is told Counted."""


class Admissions:
    """Lets callers in (`let_in`), or tells them why not. The supervisor owns it; without a `fleet` it asks nobody."""

    def __init__(
        self, services: Services, door: Door, let_in: Callable[[Connected], None], fleet: FleetCalls | None = None
    ) -> None:
        self._services, self._door, self._let_in, self._fleet = services, door, let_in, fleet
        self._asked: Counter[str] = Counter()  # by user: of whom the fleet is asked

    @property
    def waiting(self) -> int:
        """Callers of whom the fleet is asked."""
        return self._asked.total()

    def ask(self, caller: Connected, calls: int, again: bool) -> None:
        """A caller comes; `calls` is the number of calls now. `again`: their user has a call already."""
        user, now = caller.identity.user, self._services.clock.now()
        again = again or user in self._asked
        if refused := self._door.refusal(user, calls + self.waiting, again, now, caller.address):
            self._refuse(caller, refused)
        elif self._fleet:
            self._asked[user] += 1
            self._fleet.begins(caller, again)
        else:
            self._let_in(caller)

    def counted(self, told: Counted) -> None:
        """The fleet has counted the call of this caller."""
        caller, user = told.caller, told.caller.identity.user
        self._asked -= Counter({user: 1})  # drops who comes to zero
        refused = self._door.late_refusal(user)
        if not told.allowed and not refused:
            self._services.counters.fleet_refused["calls"] += 1
            refused = TOO_OFTEN.in_(USER_SECONDS)
        if refused:
            self._door.take_back(user, told.again, caller.address)
            self._refuse(caller, refused)
        else:
            self._let_in(caller)

    def _refuse(self, caller: Connected, why: Refusal) -> None:
        self._services.counters.refused[why.close.code] += 1
        caller.outbox.tell(Error(why.code, why.close.reason, why.limit, why.retry_after))
        caller.outbox.tell(why.close)
