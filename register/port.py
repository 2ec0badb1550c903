"""What a register does for the servers of a fleet: one call for each user, limits for all of them together.

Every operation may raise RegisterAway: then it may have been carried out or not, and nothing is tried again here. What
a caller is told in that case is decided where the operation is asked for.

    epoch 7, node a ──── claim on b ────▶ epoch 8, node b        a is kicked, and saves nothing more
                    ──── ask_to_yield, take on b ────▶ epoch 8   as above, but a saves first, and b has the record
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NewType, Protocol, TypeAlias

from register.presence import Presence

Epoch = NewType("Epoch", int)
"""The number of a life of a user's call: of two lives the one with the higher number counts."""

EPOCH_SECONDS = 3600.0  # that an epoch is known after the last save: a server that slept longer has lost its callers


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds that are waited for others at most; longer where our own loop is late (`patience.py`)."""

    answer: float = 0.3
    """From a question to the answer, with the handshake of a new connection."""
    turn: float = 3.0
    """Before that, until fewer questions are under way than there are connections."""
    pause: float = 0.25
    """Between two signs of life that the register is asked for, and between two tries to come back to it."""
    yielding: float = 0.3
    """For the holder of a call to save, fall silent and close."""


BOUNDS = Bounds()


class RegisterAway(Exception):
    """The register did not answer, or not in time; the message says how that was noticed."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to save a user's call. `token` is the hash of the secret by which the caller comes back.

    `made_here`: the register did not answer, and perhaps knows nothing of it.
    """

    user: str
    epoch: Epoch
    token: bytes = field(repr=False)
    made_here: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Taken:
    """The call is here from now on: its newest record, as `claim.user` was saved last."""

    claim: Claim
    record: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Past:
    """The call has ended: its last record."""

    record: bytes = field(repr=False)


class Holder(Enum):
    """What became of the holder of a call that was asked to yield it."""

    YIELDED = "it has saved and is silent"
    ABSENT = "it does not have the call, or is no more"
    SILENT = "it did not answer in time"
    UNKNOWN = "there is no such call, or another has this token"


@dataclass(frozen=True, slots=True)
class Kicked:
    """The user has a call with this epoch elsewhere: a life here with a lower one ends, and saves nothing.

    `moved`: it is the same call, which goes on there.
    """

    user: str
    epoch: Epoch
    moved: bool = False


@dataclass(frozen=True, slots=True)
class YieldAsked:
    """Another node will take this user's call: save it, let it fall silent, close it, then `answer`. At most 300 ms."""

    user: str
    epoch: Epoch
    asker: str
    number: str


Listener: TypeAlias = Callable[[Kicked | YieldAsked], None]
"""Is told on the event loop; must neither raise nor block."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Whole `micro` units more of a budget. `key` names it with its window (a user and a day); 0 only asks.

    The sum is known for `seconds` after the first.
    """

    key: str
    micro: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ToldAge:
    """A user told that they are younger than `under` years; it is known for so many more `seconds`."""

    under: int
    seconds: float

    def __repr__(self) -> str:
        """Nothing of it, as an age must not appear in a log."""
        return "ToldAge(...)"


class SharedLimits(Protocol):
    """What the fleet limits together."""

    async def occupy(self, persona: str, claim: Claim, most: int, seconds: float) -> bool:
        """Take one of `most` places with a persona for so long, or keep it; False if there is none left.

        The user's later life finds the place of the earlier one.
        """

    async def vacate(self, persona: str, claim: Claim) -> None:
        """Let the place go, unless a later life of this user has it."""

    async def begins(self, user: str, most: int, seconds: float) -> bool:
        """Count one more call of this user, if that makes at most `most` in any so many seconds."""

    async def use(self, token: str, most: int, seconds: float, times: int = 1) -> bool:
        """Count so many more uses of a token, True if that makes at most `most`. Remembered for so long."""

    async def spend(self, spent: Sequence[Spent]) -> tuple[int, ...]:
        """Add to budgets; returns the new sum of each, in micro units. What is not answered may have counted."""

    async def youngest(self, user: str, told: ToldAge | None) -> ToldAge | None:
        """Keep the youngest age that a user told, and of equal ones the one that is known longer; None only asks.

        Returns what is known now.
        """

    async def opening(self, a_second: float, within: float) -> float | None:
        """Take the next moment at which the fleet may open a connection; returns the seconds until then.

        None if that is later than `within` so many seconds: then none is taken.
        """


class Register(Protocol):
    """One node's view of what the fleet shares. `node` is its name, which no other node has."""

    node: str
    presence: Presence
    limits: SharedLimits

    def listen(self, listener: Listener) -> None:
        """Tell this listener of kicks and of wishes to yield, from now on."""

    async def claim(self, user: str, token: bytes, seconds: float) -> Claim:
        """Begin a call: it replaces the user's others, and what is kept of them. Kept for so long without a save."""

    async def save(self, claim: Claim, record: bytes, seconds: float) -> bool:
        """Keep the record of a call for so many seconds; False if the call has a newer life: then this one is over.

        A claim of which the register knows nothing (its data were lost) is known again by this.
        """

    async def end(self, claim: Claim, record: bytes, seconds: float) -> bool:
        """The call is over: nobody takes it any more, its last record is kept for so many seconds. False as `save`."""

    async def own(self, claim: Claim) -> Claim | None:
        """The claim of this node for the same call that was carried out after its answer was given up.

        None if there is none, or it was saved with since.
        """

    async def look(self, user: str, token: bytes) -> bytes | None:
        """The record of a call as it was saved last, wherever the call is; nobody is asked or told anything.

        Empty if none is kept. None if there is no such call, or another token is its own.
        """

    async def ask_to_yield(self, user: str, token: bytes) -> Holder:
        """Ask whoever has this call to let it go, for 300 ms at most."""

    async def answer(self, asked: YieldAsked, yielded: bool) -> None:
        """The answer to YieldAsked: it was saved and is silent, or is not here."""

    async def take(self, user: str, token: bytes, seconds: float) -> Taken | Past | None:
        """Go on with a call here. None if no record is kept, or another token is its own."""

    async def epochs(self, users: Collection[str]) -> Mapping[str, Epoch]:
        """The newest epoch of each of these users who has one: a question for many of them at a time."""

    async def close(self) -> None:
        """Let go of all connections."""
