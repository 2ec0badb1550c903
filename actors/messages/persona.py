"""Between a session and its PersonaActor: what the model is told, and what the call costs."""

from dataclasses import dataclass
from typing import TypeAlias

from personas import Persona, Profile
from personas.meter import Bill
from upstream.facts import Role, Setup, Turn


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
    """What must an upstream connection of this generation be told to be the chosen persona?

    `profile` is what the caller told of themselves; `memory` says which turns of the call the persona may know:
    "private" those with itself, "shared" all, "none" none.
    """

    generation: int
    persona: Persona
    profile: Profile | None
    memory: str


@dataclass(frozen=True, slots=True)
class Remember:
    """A turn as it was heard; a later one with the same `ask` and role replaces it, an empty one removes it."""

    persona: str
    ask: int
    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """The answer to Prepare: the setup of the connection, and the turns to seed it with, oldest first."""

    generation: int
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


ToPersona: TypeAlias = Prepare | Remember | StartMeter | StopMeter | CloseBill
FromPersona: TypeAlias = Prepared | MinutePassed | BillClosed
