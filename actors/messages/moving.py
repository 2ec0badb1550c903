"""A call in the register of a fleet: between session, supervisor and registrar.

session ──▶ supervisor ──▶ registrar: Announce, Keep        registrar ──▶ session: YieldCall, Superseded
supervisor ──▶ registrar: TakeCall, Adopt       registrar ──▶ supervisor: Claimed, TookCall, NotTaken
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from actors.messages.admission import Resume
from actors.messages.caller import Close
from actors.messages.resuming import NotResumedCode
from actors.runtime import LoopRef
from register import Claim
from register.record import Record

MOVING = Close(1012, "the server is restarting: resume at once")
MOVED = Close(4410, "this call goes on elsewhere: do not reconnect this connection")
NEWER = Close(4409, "replaced by your newer connection: do not reconnect this one")


class Last(Enum):
    """Why a record is the last of its call here."""

    ENDED = "the call is over"
    YIELDED = "it is silent, and another node may have it"


@dataclass(frozen=True, slots=True)
class Announce:
    """A call has begun: it is this user's newest. `token` is the hash of the secret by which they come back."""

    session: LoopRef[Any]
    user: str
    token: bytes


@dataclass(frozen=True, slots=True)
class Keep:
    """The call as it is now: save it. After the `last` nothing more is saved. `call` is its id in the log."""

    session: LoopRef[Any]
    token: bytes
    record: Record
    last: Last | None = None
    call: str = ""

    @property
    def ms(self) -> int:
        """The metered time that is in it."""
        return sum(one.ms for one in self.record.meter)


@dataclass(frozen=True, slots=True)
class TakeCall:
    """A caller asks for a call that is not here: ask its holder to yield it, and take it."""

    asked: Resume


@dataclass(frozen=True, slots=True)
class Adopt:
    """The session goes on with the call that was taken with this claim."""

    session: LoopRef[Any]
    claim: Claim


@dataclass(frozen=True, slots=True)
class CallGone:
    """The session has ended."""

    session: LoopRef[Any]


@dataclass(frozen=True, slots=True)
class YieldCall:
    """Another node takes this call: fall silent, close with 4410 and send the last record, at once."""


@dataclass(frozen=True, slots=True)
class Superseded:
    """The user has a newer life elsewhere: this one is over. With `moved` it is this call, which goes on there.

    `saved_ms` is the metered time that was saved: what is more is nobody's.
    """

    moved: bool
    saved_ms: int


@dataclass(frozen=True, slots=True)
class LastKept:
    """What became of the last record: not `saved` if the user has a newer life, so that this one counts for nothing.

    None if the register did not answer.
    """

    saved: bool | None
    saved_ms: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """The register knows this call by this claim, or will: where it is away the claim is made here."""

    session: LoopRef[Any]
    claim: Claim


@dataclass(frozen=True, slots=True)
class TookCall:
    """The answer to TakeCall: the call is here now, as it was saved last."""

    asked: Resume
    claim: Claim
    record: Record


@dataclass(frozen=True, slots=True)
class NotTaken:
    """The answer to TakeCall: it cannot go on here. `record` is that of a call that has ended."""

    asked: Resume
    code: NotResumedCode
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class MoveCall:
    """The server ends: move this call to another node in so many seconds, at the next pause from then on."""

    wait: float


ForRegistrar: TypeAlias = Announce | Keep
"""What a session says of itself."""

ToRegistrar: TypeAlias = Announce | Keep | TakeCall | Adopt | CallGone
FromRegistrar: TypeAlias = Claimed | TookCall | NotTaken
ToMovingCall: TypeAlias = YieldCall | Superseded | LastKept | MoveCall
