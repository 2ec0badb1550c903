"""PersonaActor: whom the caller is talking to, for how long, and what they have said to each other."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias, assert_never

from actors.messages.admission import Declined
from actors.messages.persona import (
    BillClosed,
    Choose,
    CloseBill,
    FromPersona,
    Know,
    Meet,
    MinutePassed,
    Prepare,
    Prepared,
    Remember,
    SearchPersona,
    Selected,
    StartMeter,
    StopMeter,
    ToPersona,
)
from actors.runtime import Boot, LoopActor, Ref, Stop
from personas import CurrentCatalogue, Persona, Profile
from personas.meter import Meter
from schemas import Refused
from upstream.facts import Role, Setup, Turn

SEEDED_TURNS = 20  # as many as a new connection is told; 6 to 20 worked


@dataclass(frozen=True, slots=True)
class MinuteOver:
    """A timer of the persona's: perhaps one more minute is full."""


PersonaInbox: TypeAlias = Boot | Stop | ToPersona | MinuteOver


class PersonaActor(LoopActor[PersonaInbox]):
    """Knows the time with each persona in this call, and what was heard of and by each.

    It looks on the shelf at each choice, and keeps no catalogue: of one that was edited only the personas of calls live
    on. The policy of memory is that of the newest choice that was granted.
    """

    name = "persona"
    _clock: Callable[[], float]  # from Boot on

    def __init__(self, session: Ref[FromPersona], current: CurrentCatalogue) -> None:
        super().__init__()
        self._session, self._current = session, current
        self._memory = current.catalogue.memory
        self._profile: Profile | None = None
        self._meter, self._told = Meter(), 0  # full minutes that were told of
        self._heard: dict[tuple[int, Role], tuple[str, str]] = {}  # (ask, role) -> (persona, text)

    def on_receive(self, message: PersonaInbox) -> None:
        match message:
            case Choose(choice, astrologer_id):
                self._select(choice, lambda now: (self._current.catalogue.get(astrologer_id, now),))
            case SearchPersona(choice, query, language):
                self._select(choice, lambda now: self._fitting(query, language, now))
            case Prepare(generation, persona):
                self._session.tell(self._prepared(generation, persona))
            case Remember(persona, ask, role, text):
                self._heard[ask, role] = (persona, text)
            case Meet():
                self._memory = self._current.catalogue.memory
            case Know(profile):
                self._profile = profile
            case StartMeter(persona):
                self._meter.start(persona, self._clock())
                self._await_minute()
            case StopMeter():
                self._meter.stop(self._clock())
            case MinuteOver():
                self._minute()
            case CloseBill():
                self._meter.stop(self._clock())
                self._session.tell(BillClosed(self._meter.bill(self._clock())))
            case Boot():
                self._clock = asyncio.get_running_loop().time
            case Stop():
                self.end()
            case _:
                assert_never(message)

    # Choosing.

    def _select(self, choice: int, find: Callable[[datetime], tuple[Persona, ...]]) -> None:
        try:
            personas = find(datetime.now(UTC))
        except Refused as refused:
            self._session.tell(Declined(choice, refused.code, refused.message))
        else:
            self._session.tell(Selected(choice, personas))

    def _fitting(self, query: str, language: str | None, now: datetime) -> tuple[Persona, ...]:
        if found := self._current.catalogue.match_all(query, language, now):
            return found
        raise Refused(
            "no_persona",
            "Nobody who takes calls now fits what you look for: see GET /api/astrologers, and send config with an "
            "astrologer_id.",
        )

    # Time.

    def _await_minute(self) -> None:
        if left := self._meter.seconds_to_full_minute(self._clock()):
            self.after(left, MinuteOver())
        else:
            self.cancel(MinuteOver)

    def _minute(self) -> None:
        """A clock may ring a moment early: then there is as good as nothing left, and it rings again."""
        bill = self._meter.bill(self._clock())
        if bill.priced_seconds // 60 > self._told:
            self._told = bill.priced_seconds // 60
            self._session.tell(MinutePassed(bill))
        self._await_minute()

    # Talking.

    def _prepared(self, generation: int, persona: Persona) -> Prepared:
        instructions = persona.instructions(datetime.now(UTC), self._profile)
        setup = Setup(instructions, persona.voice, persona.language_code)
        return Prepared(generation, persona, setup, self._turns(persona.id))

    def _turns(self, persona: str) -> tuple[Turn, ...]:
        """What this persona may know of the call so far, oldest first: the policy of memory."""
        if self._memory == "none":
            return ()
        shared = self._memory == "shared"
        order = sorted(self._heard.items(), key=lambda turn: (turn[0][0], turn[0][1] == "assistant"))
        known = [Turn(role, text) for (_, role), (of, text) in order if text and (shared or of == persona)]
        return tuple(known[-SEEDED_TURNS:])
