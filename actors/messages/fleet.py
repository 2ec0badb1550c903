"""What the limits of a fleet answer: from FleetLimits (actors/fleet/limits.py) to the supervisor."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from actors.messages.admission import Connected
from actors.messages.ids import ChoiceId
from actors.runtime import LoopRef
from register import Claim


@dataclass(frozen=True, slots=True)
class Counted:
    """The call of this caller is counted by the fleet; `allowed` is False if their user has begun too many.

    `again`: they had a call when they asked. What the user has spent elsewhere is known by now.
    """

    caller: Connected
    again: bool
    allowed: bool


@dataclass(frozen=True, slots=True)
class Occupied:
    """A choice has a place of the whole fleet with a persona, or, if not `there`, none was left."""

    session: LoopRef[Any]
    choice: ChoiceId
    persona: str
    claim: Claim
    there: bool


@dataclass(frozen=True, slots=True)
class KeepPlaces:
    """The places of this server are to be kept for a while more."""


FromFleet: TypeAlias = Counted | Occupied | KeepPlaces
