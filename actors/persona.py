"""PersonaActor: whom the caller is talking to, and what they have said to each other."""

from datetime import date
from typing import TypeAlias, assert_never

from actors.base import Boot, LoopActor, Ref, Stop
from actors.messages import Choose, Declined, FromPersona, Prepare, Prepared, Remember, Selected, ToPersona
from personas import Catalogue, Persona
from realtime.events import Role, Setup, Turn
from schemas import Refused

SEEDED_TURNS = 20  # as many as a new connection is told; 6 to 20 worked

PersonaInbox: TypeAlias = Boot | Stop | ToPersona


class PersonaActor(LoopActor[PersonaInbox]):
    """Knows the catalogue, and the heard turns of each persona in this call."""

    name = "persona"

    def __init__(self, session: Ref[FromPersona], catalogue: Catalogue) -> None:
        super().__init__()
        self._session = session
        self._catalogue = catalogue
        self._heard: dict[tuple[int, Role], tuple[str, str]] = {}  # (ask, role) -> (persona, text)

    def on_receive(self, message: PersonaInbox) -> None:
        match message:
            case Choose():
                self._choose(message)
            case Prepare(generation, persona):
                self._session.tell(self._prepared(generation, persona))
            case Remember(persona, ask, role, text):
                self._heard[ask, role] = (persona, text)
            case Boot():
                pass
            case Stop():
                self.end()
            case _:
                assert_never(message)

    def _choose(self, wish: Choose) -> None:
        try:
            persona = self._catalogue.get(wish.astrologer_id)
        except Refused as refused:
            self._session.tell(Declined(wish.choice, refused.code, refused.message))
        else:
            self._session.tell(Selected(wish.choice, persona))

    def _prepared(self, generation: int, persona: Persona) -> Prepared:
        instructions = self._catalogue.instructions(persona, today=date.today())
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
