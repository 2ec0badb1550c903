"""Reservations of places with personas: on this server, and, with a register, of the whole fleet.

    Reserve ──▶ a place here ──▶ unlimited, or no register ──▶ Reserved
                     │ none            │ limited
                     ▼                 ▼
                  Declined      asked of the fleet ──▶ there is one, or the register is away ──▶ Reserved
                                       └──▶ none is left ──▶ the place here is let go, the next who fits is tried

What a session asks is answered in the order asked, so that its last choice wins. A place of the fleet is a user's: it
lapses unless it is kept, and the user's later life finds it.
"""

from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, assert_never

from actors.admission.slots import PersonaSlots
from actors.messages.admission import Declined, Reserve, Reserved
from actors.messages.fleet import KeepPlaces, Occupied
from actors.messages.ids import ChoiceId
from actors.messages.moving import Claimed
from actors.runtime import LoopRef
from actors.services import Services
from register import Claim, Epoch

Session: TypeAlias = LoopRef[Any]

MOVED = (1012, 4410)  # close codes of calls that another server goes on with; if none does, their places lapse


class FleetPlaces(Protocol):
    """Asks the register, and never waits for it."""

    def occupy(self, session: Session, choice: ChoiceId, persona: str, claim: Claim, most: int) -> None:
        """Take one of so many places for this choice: the supervisor is told Occupied."""

    def keep(self, persona: str, claim: Claim, most: int) -> None:
        """Keep a place, or take it if it was lost."""

    def vacate(self, persona: str, claim: Claim) -> None:
        """Let a place go."""

    def learn(self, user: str, row: str = "") -> None:
        """Learn what this user has spent today; with a `row` of their tab, what they have talked and paid in it."""


@dataclass(slots=True)
class _Call:
    """`waiting` holds what is not answered; the first is `reserved` here, and the fleet is asked, but for `taken`."""

    claim: Claim
    waiting: deque[Reserve] = field(default_factory=deque)
    reserved: Reserved | None = None
    taken: frozenset[str] = frozenset()
    occupied: set[str] = field(default_factory=set)


class Reservations:
    """Answers what sessions reserve. State and arithmetic; the supervisor owns it. Without a `fleet` it asks nobody."""

    def __init__(self, services: Services, fleet: FleetPlaces | None = None) -> None:
        self._services, self._fleet = services, fleet
        self._slots = PersonaSlots(services.upstream.can.languages)
        self._calls: dict[Session, _Call] = {}
        self._epoch = 0

    def begin(self, session: Session, user: str) -> None:
        """A call of this user's begins. Until its claim is known it has one by the time here."""
        if self._fleet:
            self._epoch = max(self._epoch + 1, int(self._services.clock.wall().timestamp() * 1_000_000))
            self._calls[session] = _Call(Claim(user, Epoch(self._epoch), b""))

    def ask(self, asked: Reserve) -> None:
        """A session asks for a place: it is told Reserved or Declined."""
        call = self._calls.get(asked.session)
        if not self._fleet or not call:
            asked.session.tell(self._answer(asked, frozenset()))
            return
        call.waiting.append(asked)
        if not call.reserved:
            self._go_on(call)

    def hear(self, message: Occupied | KeepPlaces | Claimed) -> None:
        """The register has answered, or is to be asked again."""
        match message:
            case Occupied(session) if (call := self._calls.get(session)) and call.reserved:
                self._occupied(call, call.reserved, message)
            case Occupied(_, _, persona, claim, there):  # the call is over
                if there and self._fleet:
                    self._fleet.vacate(persona, claim)
            case KeepPlaces():
                self._keep()
            case Claimed(session, claim):
                if self._fleet and (call := self._calls.get(session)):
                    call.claim = max(call.claim, claim, key=lambda one: one.epoch)
                    self._fleet.learn(claim.user)
            case _:
                assert_never(message)

    def release(self, session: Session, choices: frozenset[ChoiceId]) -> None:
        """Release the places of these choices."""
        self._slots.release(session, choices)
        if call := self._calls.get(session):
            self._vacate(call, call.occupied - self._slots.of(session))

    def release_all(self, session: Session, code: int = 0) -> None:
        """The call is over here: release its places. If it goes on elsewhere (`code`), it finds those of the fleet."""
        self._slots.release_all(session)
        call = self._calls.pop(session, None)
        if call and code not in MOVED:
            self._vacate(call, call.occupied)

    def held(self) -> Mapping[Hashable, frozenset[str]]:
        """The ids of the personas with whom each call has a place on this server."""
        return self._slots.held()

    def _occupied(self, call: _Call, reserved: Reserved, told: Occupied) -> None:
        """The fleet has answered for the place that was asked for last."""
        call.reserved = None
        if told.there:
            call.occupied.add(told.persona)
            self._tell(call, reserved)
        else:
            self._services.counters.fleet_refused["max_callers"] += 1
            self._slots.release(told.session, {told.choice})
            call.taken |= {told.persona}
        self._go_on(call)

    def _keep(self) -> None:
        """Keep all places of the fleet, and take those that were given without asking it."""
        personas = self._services.current.catalogue.personas
        for session, call in self._calls.items():
            asked = call.reserved.persona.id if call.reserved else ""
            for id_ in self._slots.of(session) - {asked}:
                most = personas[id_].behaviour.max_callers if id_ in personas else None
                if self._fleet and most is not None:
                    call.occupied.add(id_)
                    self._fleet.keep(id_, call.claim, most)

    def _go_on(self, call: _Call) -> None:
        """Answer what waits, until the fleet must be asked."""
        assert self._fleet
        while call.waiting:
            asked = call.waiting[0]
            answer = self._answer(asked, call.taken)
            most = answer.persona.behaviour.max_callers if isinstance(answer, Reserved) else None
            if isinstance(answer, Reserved) and most is not None and answer.persona.id not in call.occupied:
                call.reserved = answer
                self._fleet.occupy(asked.session, asked.choice, answer.persona.id, call.claim, most)
                return
            self._tell(call, answer)

    def _tell(self, call: _Call, answer: Reserved | Declined) -> None:
        assert self._fleet
        call.taken = frozenset()
        call.waiting.popleft().session.tell(answer)
        if isinstance(answer, Reserved) and (pricing := answer.persona.behaviour.pricing):
            self._fleet.learn(call.claim.user, f"{answer.persona.id} {pricing.row}")

    def _answer(self, asked: Reserve, taken: frozenset[str]) -> Reserved | Declined:
        now = self._services.clock.wall()
        return self._slots.answer(asked, self._services.current.catalogue, now, taken)

    def _vacate(self, call: _Call, personas: set[str]) -> None:
        if self._fleet:
            for persona in sorted(personas):
                self._fleet.vacate(persona, call.claim)
        call.occupied -= personas
