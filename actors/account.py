"""What the upstream says of our account: while it refuses that, nobody is admitted, and trials ask again."""

import logging
from collections.abc import Callable
from typing import Any

from actors.admission.door import Door
from actors.runtime import Hired, LoopRef, Stop
from actors.services import Services
from actors.trial import TrialInbox

log = logging.getLogger("supervisor")


class UpstreamAccount:
    """Shuts the door while the upstream refuses our account. The supervisor owns it, and hires (`hire`) a trial."""

    def __init__(self, services: Services, door: Door, hire: Callable[[], Hired[TrialInbox]]) -> None:
        self._services, self._door, self._hire = services, door, hire
        self._trial: Hired[TrialInbox] | None = None  # while the upstream refuses our account

    def block(self, why: str) -> None:
        """The upstream refuses our account."""
        if self._door.account_blocked or self._door.draining:
            return
        self._door.account_blocked = self._services.counters.account_blocked = True
        log.error("new calls are refused, the server tries again every %.0f s: %s", self._services.trials.every, why)
        self._trial = self._hire()

    def unblock(self) -> None:
        """The upstream serves us again."""
        self._door.account_blocked = self._services.counters.account_blocked = False
        log.info("the upstream serves us again")

    def trial_ended(self, trial: LoopRef[Any]) -> None:
        """A trial that has crashed is replaced; the new one begins by waiting."""
        if trial == self._trial:
            again = self._door.account_blocked and not self._door.draining
            self._trial = self._hire() if again else None

    def stop(self) -> None:
        """The server ends."""
        if self._trial:
            self._trial.tell(Stop())
