"""Between a session and its PersonaActor: what the model is told, and what the call costs."""

from dataclasses import dataclass
from typing import TypeAlias

from actors.messages.caring import TakeCare
from actors.messages.ids import Generation
from personas import Persona, Profile
from personas.meter import Bill, KeptTime
from upstream.facts import Role, Setup, Turn, TurnId


@dataclass(frozen=True, slots=True)
class StartMeter:
    """From now on the caller talks to this persona, and the time is metered."""

    persona: Persona


@dataclass(frozen=True, slots=True)
class StopMeter:
    """From now on the caller talks to nobody, and no time is metered."""


@dataclass(frozen=True, slots=True)
class PauseMeter:
    """No time is metered since `at`, whoever is on the line: the caller was seen last then. On the clock of calls."""

    at: float


@dataclass(frozen=True, slots=True)
class ResumeMeter:
    """The caller is seen again, or back; of the time since `at` of PauseMeter they heard `seconds` of what had come."""

    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class CloseBill:
    """The call is over: stop the meter, and answer with BillClosed."""


@dataclass(frozen=True, slots=True)
class Spare:
    """The caller is a minor: from now on no priced time is metered, and nothing of what is said is remembered."""


@dataclass(frozen=True, slots=True)
class Prepare:
    """Prepare the setup of the upstream connection of this generation; answered with Prepared.

    `profile` is what the caller told of themselves. `memory` says which turns of the call the persona is told:
    "private" its own, "shared" those with all personas, "none" none.
    """

    generation: Generation
    persona: Persona
    profile: Profile | None
    memory: str


@dataclass(frozen=True, slots=True)
class Remember:
    """The text of a turn as it was heard. One with the same `ask` and role replaces it, an empty text removes it."""

    persona: str
    ask: TurnId
    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Recall:
    """Say what is remembered and metered by now; answered with Recalled."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A turn as it was heard, by whoever was the persona then."""

    ask: TurnId
    role: Role
    persona: str
    text: str


@dataclass(frozen=True, slots=True)
class Recalled:
    """The answer to Recall: the turns, the oldest first, and the meter; of a call that comes from elsewhere, told back.

    `told` are the full minutes of which the caller was told.
    """

    turns: tuple[Heard, ...] = ()
    times: tuple[KeptTime, ...] = ()
    told: int = 0


@dataclass(frozen=True, slots=True)
class Prepared:
    """The answer to Prepare: the setup of the connection, and the turns that seed it, the oldest first."""

    generation: Generation
    persona: Persona
    setup: Setup
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class MinutePassed:
    """One more minute with a priced persona is full: the bill so far."""

    bill: Bill


@dataclass(frozen=True, slots=True)
class BillClosed:
    """The answer to CloseBill: the bill of the whole call."""

    bill: Bill


ToPersona: TypeAlias = (
    Prepare | Remember | Spare | StartMeter | StopMeter | PauseMeter | ResumeMeter | CloseBill | TakeCare | Recall
    | Recalled
)  # fmt: skip
FromPersona: TypeAlias = Prepared | MinutePassed | BillClosed | Recalled
