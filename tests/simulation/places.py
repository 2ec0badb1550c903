"""Places with personas that take their time, as those of a fleet do whose register is slow."""

import asyncio
from random import Random
from typing import Any

from actors.admission.reservations import Reservations
from actors.messages.fleet import FromFleet, Occupied
from actors.messages.ids import ChoiceId
from actors.runtime import LoopRef, Ref
from actors.services import Services
from register import Claim
from supervisor import SupervisorActor

SLOW = 0.3  # of the runs
SECONDS = (0.0, 0.05, 0.3, 1.0, 3.0)


class SlowPlaces:
    """Implements FleetPlaces: there is a place for everybody, sooner or later, in the order asked."""

    def __init__(self, random: Random, to: Ref[FromFleet]) -> None:
        self._random, self._to = random, to

    def occupy(self, session: LoopRef[Any], choice: ChoiceId, persona: str, claim: Claim, most: int) -> None:
        """As of FleetPlaces."""
        told = Occupied(session, choice, persona, claim, there=True)
        asyncio.get_running_loop().call_later(self._random.choice(SECONDS), self._to.tell, told)

    def keep(self, persona: str, claim: Claim, most: int) -> None:
        """As of FleetPlaces."""

    def vacate(self, persona: str, claim: Claim) -> None:
        """As of FleetPlaces."""

    def learn(self, user: str, row: str = "") -> None:
        """As of FleetPlaces."""


class SlowSupervisor(SupervisorActor):
    """Its places are slow."""

    def __init__(self, services: Services, random: Random) -> None:
        super().__init__(services)
        self._reservations = Reservations(services, SlowPlaces(random, self.me))
