"""Between a session and its PersonaActor: whom the caller may talk to, what the model is told, what it costs."""

from dataclasses import dataclass
from typing import TypeAlias

from actors.messages.admission import Declined
from actors.messages.ids import ChoiceId, Generation
from personas import Persona, Profile
from personas.meter import Bill
from upstream.facts import Role, Setup, Turn, TurnId


@dataclass(frozen=True, slots=True)
class Choose:
    """May the caller talk to this one?"""

    choice: ChoiceId
    astrologer_id: str


@dataclass(frozen=True, slots=True)
class SearchPersona:
    """Who fits these words, of those who take calls now?"""

    choice: ChoiceId
    query: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Know:
    """What the caller told of themselves, for the rest of the call."""

    profile: Profile


@dataclass(frozen=True, slots=True)
class Meet:
    """A choice was granted: what the file says of memory now holds from here on."""


@dataclass(frozen=True, slots=True)
class StartMeter:
    """From now on the caller talks to this one: time is metered."""

    persona: Persona


@dataclass(frozen=True, slots=True)
class StopMeter:
    """From now on the caller talks to nobody: no time is metered."""


@dataclass(frozen=True, slots=True)
class CloseBill:
    """The call is over: what does it come to?"""


@dataclass(frozen=True, slots=True)
class Prepare:
    """What must an upstream connection of this generation be told to be the chosen persona?"""

    generation: Generation
    persona: Persona


@dataclass(frozen=True, slots=True)
class Remember:
    """A turn as it was heard; a later one with the same `ask` and role replaces it, an empty one removes it."""

    persona: str
    ask: TurnId
    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Selected:
    """Each of these personas would do for this choice, the best first; they take calls, and are as they are now."""

    choice: ChoiceId
    personas: tuple[Persona, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    generation: Generation
    persona: Persona
    setup: Setup
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class MinutePassed:
    """One more minute is full."""

    bill: Bill


@dataclass(frozen=True, slots=True)
class BillClosed:
    """What the call comes to; nothing is metered any more."""

    bill: Bill


ToPersona: TypeAlias = Choose | SearchPersona | Meet | Know | Prepare | Remember | StartMeter | StopMeter | CloseBill
FromPersona: TypeAlias = Selected | Declined | Prepared | MinutePassed | BillClosed
