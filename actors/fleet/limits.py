"""FleetLimits asks the register what calls a supervisor may let in, and where personas have places.

Each question is a task, and its answer a message to the supervisor. A register that is away refuses nobody: calls,
places and budgets are then counted by each server alone (docs/operations.md has the table).
"""

import asyncio
import logging
from functools import partial

from actors.admission.door import USER_SECONDS
from actors.admission.reservations import Session
from actors.budgets.sums import Sum
from actors.fleet.questions import Questions, answer_or
from actors.fleet.telling import ask_for
from actors.fleet.told_ages import FleetAges
from actors.messages.admission import Connected
from actors.messages.fleet import Counted, FromFleet, KeepPlaces, Occupied
from actors.messages.ids import ChoiceId
from actors.runtime import Ref
from actors.services import Services
from register import Claim, Register

log = logging.getLogger("fleet")

PLACE_SECONDS = 30.0  # that a place is kept: so long it stays taken after its server was killed
KEEP_SECONDS = 10.0  # between two times that it is
FEW = 4  # of the places to keep or to let go, at once: callers who wait for an answer come between
AWAY = (
    "while the register is away: calls of a user, places of personas, budgets and openings upstream are limited by "
    "each server alone, ages that were told elsewhere are not known, and tokens of one call are refused"
)


class FleetLimits:
    """Implements FleetCalls and FleetPlaces of actors/admission; made on the event loop."""

    def __init__(self, services: Services, register: Register, to: Ref[FromFleet]) -> None:
        self._services, self._limits, self._to = services, register.limits, to
        self._questions, self._few = Questions(), asyncio.Semaphore(FEW)
        self._ages = FleetAges(services.ages, register, self._questions, services.clock.now)
        self._here = asyncio.Event()
        register.presence.on_change(self._changed)
        self._keeping = asyncio.get_running_loop().create_task(self._keep_places(), name="places of the fleet")

    def close(self) -> None:
        """Keep no place any more; what was asked is still answered."""
        self._keeping.cancel()

    def begins(self, caller: Connected, again: bool) -> None:
        """As of FleetCalls."""
        self._questions.ask(caller.identity.user, partial(self._count, caller, again))

    def occupy(self, session: Session, choice: ChoiceId, persona: str, claim: Claim, most: int) -> None:
        """As of FleetPlaces."""

        async def ask() -> None:
            there = await answer_or(True, self._limits.occupy(persona, claim, most, PLACE_SECONDS))
            self._to.tell(Occupied(session, choice, persona, claim, there))

        self._questions.ask(claim.user, ask)

    def keep(self, persona: str, claim: Claim, most: int) -> None:
        """As of FleetPlaces."""

        async def ask() -> None:
            async with self._few:
                await answer_or(True, self._limits.occupy(persona, claim, most, PLACE_SECONDS))

        self._questions.ask(claim.user, ask)

    def vacate(self, persona: str, claim: Claim) -> None:
        """As of FleetPlaces."""

        async def ask() -> None:
            async with self._few:
                await answer_or(None, self._limits.vacate(persona, claim))

        self._questions.ask(claim.user, ask)

    def learn(self, user: str, row: str = "") -> None:
        """As of FleetPlaces."""
        spending = self._services.spending
        if sums := spending.tab(user).sums(row) if row else spending.sums_of(user):
            self._questions.ask(user, partial(self._learn, sums))

    async def _count(self, caller: Connected, again: bool) -> None:
        user = caller.identity.user
        begins = self._limits.begins(user, self._services.limits.calls, USER_SECONDS)
        sums = self._services.spending.sums_of(user)
        learns = answer_or(None, self._ages.learn(user)), self._learn(sums)
        allowed, _, _ = await asyncio.gather(answer_or(True, begins), *learns)
        self._to.tell(Counted(caller, again, allowed))

    async def _learn(self, sums: tuple[Sum, ...]) -> None:
        if sums and (shared := self._services.fleet_sums):
            await answer_or(None, ask_for(self._limits, shared, sums))

    async def _keep_places(self) -> None:
        while True:
            try:
                async with asyncio.timeout(KEEP_SECONDS):
                    await self._here.wait()
            except TimeoutError:
                pass
            self._here.clear()
            self._to.tell(KeepPlaces())

    def _changed(self, here: bool) -> None:
        if here:
            self._here.set()
        else:
            log.warning(AWAY)
