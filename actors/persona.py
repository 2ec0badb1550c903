"""PersonaActor: whom the caller is talking to, for how long, and what they have said to each other."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TypeAlias, assert_never

from actors.base import Boot, LoopActor, Ref, Stop
from actors.messages import (
    Choose,
    Declined,
    FromPersona,
    Know,
    Passed,
    Prepare,
    Prepared,
    Remember,
    Rest,
    Seek,
    Selected,
    Serve,
    Settle,
    Settled,
    ToPersona,
)
from actors.meter import MINUTE_MS, Meter
from actors.switches import Switches
from actors.timers import MinuteOver
from personas import Persona, Profile, Shelf
from realtime.events import Role, Setup, Turn
from schemas import Refused

SEEDED_TURNS = 20  # as many as a new connection is told; 6 to 20 worked

PersonaInbox: TypeAlias = Boot | Stop | ToPersona | MinuteOver


class PersonaActor(LoopActor[PersonaInbox]):
    """Knows the catalogue, the time with each persona in this call, and what was heard of and by each.

    It asks the shelf at each choice; what was chosen stays as it was then, and so does the policy of memory.
    """

    name = "persona"
    _clock: Callable[[], float]  # from Boot on

    def __init__(self, session: Ref[FromPersona], shelf: Shelf, switches: int) -> None:
        super().__init__()
        self._session = session
        self._shelf, self._catalogue = shelf, shelf.catalogue
        self._switches = Switches(switches)
        self._profile: Profile | None = None
        self._meter, self._told = Meter(), 0  # full minutes that were told of
        self._heard: dict[tuple[int, Role], tuple[str, str]] = {}  # (ask, role) -> (persona, text)

    def on_receive(self, message: PersonaInbox) -> None:
        match message:
            case Choose(choice, astrologer_id):
                self._select(choice, lambda now: self._shelf.catalogue.get(astrologer_id, now))
            case Seek(choice, query, language):
                self._select(choice, lambda now: self._fitting(query, language, now))
            case Prepare(generation, persona):
                self._session.tell(self._prepared(generation, persona))
            case Remember(persona, ask, role, text):
                self._heard[ask, role] = (persona, text)
            case Know(profile):
                self._profile = profile
            case Serve(persona):
                self._meter.serve(persona, self._clock())
                self._await_minute()
            case Rest():
                self._stand_still()
            case MinuteOver():
                self._minute()
            case Settle():
                self._stand_still()
                self._session.tell(Settled(self._meter.bill(self._clock())))
            case Boot():
                self._clock = asyncio.get_running_loop().time
            case Stop():
                self.end()
            case _:
                assert_never(message)

    # Choosing.

    def _select(self, choice: int, find: Callable[[datetime], Persona]) -> None:
        try:
            persona = find(datetime.now(UTC))
            self._switches.take(self._clock())
        except Refused as refused:
            self._session.tell(Declined(choice, refused.code, refused.message))
        else:
            self._catalogue = self._shelf.catalogue
            self._session.tell(Selected(choice, persona))

    def _fitting(self, query: str, language: str | None, now: datetime) -> Persona:
        for match in self._shelf.catalogue.match(query, language, limit=1, moment=now):
            return match.persona
        raise Refused(
            "no_persona",
            "Nobody who takes calls now fits what you look for: see GET /api/astrologers, and send config with an "
            "astrologer_id.",
        )

    # Time.

    def _stand_still(self) -> None:
        self._meter.rest(self._clock())
        self.cancel(MinuteOver)

    def _await_minute(self) -> None:
        """Only who has a price is told of minutes."""
        persona = self._meter.on
        if persona and persona.behaviour.pricing:
            left = MINUTE_MS - self._meter.ms(self._clock()) % MINUTE_MS
            self.after(left / 1000, MinuteOver())
        else:
            self.cancel(MinuteOver)

    def _minute(self) -> None:
        """A clock may ring a moment early: then there is as good as nothing left, and it rings again."""
        if self._meter.ms(self._clock()) // MINUTE_MS > self._told:
            self._told = self._meter.ms(self._clock()) // MINUTE_MS
            self._session.tell(Passed(self._meter.bill(self._clock())))
        self._await_minute()

    # Talking.

    def _prepared(self, generation: int, persona: Persona) -> Prepared:
        instructions = self._catalogue.instructions(persona, today=date.today(), profile=self._profile)
        setup = Setup(instructions, persona.voice, persona.language_code)
        return Prepared(generation, persona, setup, self._turns(persona.id))

    def _turns(self, persona: str) -> tuple[Turn, ...]:
        """What this persona may know of the call so far, oldest first: the policy `memory` of the catalogue."""
        if self._catalogue.memory == "none":
            return ()
        shared = self._catalogue.memory == "shared"
        order = sorted(self._heard.items(), key=lambda turn: (turn[0][0], turn[0][1] == "assistant"))
        known = [Turn(role, text) for (_, role), (of, text) in order if text and (shared or of == persona)]
        return tuple(known[-SEEDED_TURNS:])
