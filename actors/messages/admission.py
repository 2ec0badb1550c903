"""How a call is admitted, gets a persona and ends: between endpoint, supervisor, session and trial."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from actors.messages.caller import Chose, Close, Counted, FromCaller, Mode, Notice, SearchedPersona, ToCaller
from actors.messages.caring import HelpNumber, InCare
from actors.messages.identity import Identity
from actors.messages.ids import ChoiceId
from actors.messages.resuming import NotResumed, NotResumedCode
from actors.runtime import LoopRef, Ref
from personas import Persona
from personas.meter import Bill
from upstream.hot_message import hot_message

RESTARTING = Close(1001, "the server is restarting: call again in a moment")
DRAINING = Notice("draining", "The server is restarting: this call ends at the next pause.")
GONE = Close(1006, "the connection is gone")  # the close code of a connection that ended without one


@dataclass(frozen=True, slots=True)
class Admitted:
    """The connection is admitted. From now on the endpoint tells this session what the caller says."""

    session: "LoopRef[From | Wished | Detached]"


@dataclass(frozen=True, slots=True)
class Connected:
    """A caller's connection asks to be admitted; `outbox` is told Admitted, or an Error and a Close.

    `connection` is the endpoint's number of it. `mode` is what the URL names, or the caller's token, if one does.
    `address` is the caller's network address, empty where calls are not limited by address.
    """

    identity: Identity
    connection: int
    outbox: Ref[ToCaller | Admitted]
    mode: Mode | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The answer to Inquired: whether a new call would be admitted now, and the number of calls."""

    admitting: bool
    callers: int


@dataclass(frozen=True, slots=True)
class Inquired:
    """GET /ready asks how the supervisor is; `reply_to` is told a Report."""

    reply_to: Ref[Report]


@dataclass(frozen=True, slots=True)
class Attached:
    """The caller has this connection; messages of a connection with another number are dropped from now on.

    `mode` holds, if one is given, until a config names another.
    """

    connection: int
    outbox: Ref[ToCaller]
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class Detached:
    """The connection has ended. `how`: the close code and reason, GONE if it ended without one.

    `seen_at` is when the caller gave the last sign of life, where they did not say that they leave, as in LostSight.
    """

    connection: int
    how: Close = GONE
    seen_at: float | None = None


@dataclass(frozen=True, slots=True)
class LostSight:
    """Nothing was seen of the caller for long: the last sign of life was at `seen_at`, on the clock of calls."""

    connection: int
    seen_at: float


@dataclass(frozen=True, slots=True)
class SeenAgain:
    """The caller who was lost sight of has given a sign of life."""

    connection: int


@hot_message
class From:
    """A message of the caller, and the number of the connection on which it came."""

    connection: int
    message: FromCaller


@dataclass(frozen=True, slots=True)
class Wished:
    """Whom the address of this connection names: no frame says it, and none is counted for it."""

    connection: int
    wish: Chose | SearchedPersona


@dataclass(frozen=True, slots=True)
class Resume:
    """A connection asks to go on with the call of this user; `reply_to` is told Admitted or NotResumed.

    `attach` and `received` are of the last connection of the call that the client saw begin. `address` as of Connected.
    """

    user: str
    connection: int
    outbox: Ref[ToCaller]
    reply_to: Ref[Admitted | NotResumed]
    token: str
    attach: int
    received: int
    address: str = ""


@dataclass(frozen=True, slots=True)
class WentAway:
    """The connection of this call is lost; the call waits for another."""

    session: LoopRef[Any]


@dataclass(frozen=True, slots=True)
class CameBack:
    """The call goes on over the connection of this Resume."""

    session: LoopRef[Any]
    asked: Resume


@dataclass(frozen=True, slots=True)
class CannotResume:
    """The call cannot go on over the connection of this Resume; `words` are those of replies that were not heard."""

    session: LoopRef[Any]
    asked: Resume
    code: NotResumedCode
    words: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """What is remembered of a call that could be resumed: the hash of its token, its bill, and the numbers told."""

    user: str
    token: bytes
    bill: Bill
    help: tuple[HelpNumber, ...] = ()


@dataclass(frozen=True, slots=True)
class LetGo:
    """The server needs the place of this call, which is away: it ends."""


@dataclass(frozen=True, slots=True)
class Displaced:
    """A clip that waited is dropped, because others needed its bytes: `counted` is the parcel of Recorded."""

    counted: Counted


@dataclass(frozen=True, slots=True)
class Drain:
    """Told to a call: end at a pause, within so many seconds. To the supervisor, because the server ends: all calls.

    The supervisor admits nobody any more, and lets the calls go on for as long as that leaves time for their pauses.
    The caller is told the notice at once, and the close at the end.
    """

    within: float
    notice: Notice | None = DRAINING
    close: Close = RESTARTING
    own: bool = False
    """It is for a limit of the caller's own, which does not end a call in care."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """The same user has begun a newer call: this one ends with 4409."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """The call is over; the session's Down follows when the last facts of its connections have come.

    `code` is the close code of the caller's connection, 1006 if it ended without one.
    """

    session: LoopRef[Any]
    code: int


@dataclass(frozen=True, slots=True)
class AccountBlocked:
    """The upstream refuses the server's account, so it would refuse every other call as well."""

    reason: str


@dataclass(frozen=True, slots=True)
class Served:
    """The upstream serves the server's account again: it has answered a trial."""


@dataclass(frozen=True, slots=True)
class ById:
    """A wish for the persona of this id; `minor`: of a caller who is one."""

    astrologer_id: str
    minor: bool = False


@dataclass(frozen=True, slots=True)
class ByWords:
    """A wish for the persona that fits these words best; `language` is an English name or an ISO 639-1 code.

    `among`: the ids of the personas that may be found; None for all. `minor`: of a caller who is one.
    """

    words: str
    language: str | None = None
    among: frozenset[str] | None = None
    minor: bool = False


Wish: TypeAlias = ById | ByWords


@dataclass(frozen=True, slots=True)
class Reserve:
    """Reserve a place with a persona that fits the wish; answered with Reserved or Declined, in the order asked.

    `choice` is the session's own number; by it ReleaseSlots gives the place back.
    """

    session: "LoopRef[Reserved | Declined]"
    choice: ChoiceId
    wish: Wish


@dataclass(frozen=True, slots=True)
class ReleaseSlots:
    """Release the places of these choices, each of which the session knows to be Reserved."""

    session: LoopRef[Any]
    choices: frozenset[ChoiceId]


FromSession: TypeAlias = (
    Leaving | AccountBlocked | Reserve | ReleaseSlots | WentAway | CameBack | CannotResume | Ended | InCare
)  # fmt: skip
FromTrial: TypeAlias = Served


@dataclass(frozen=True, slots=True)
class Reserved:
    """The choice has a place with this persona, in the version that the current catalogue has.

    `memory` is that catalogue's policy of memory: "private", "shared" or "none".
    """

    choice: ChoiceId
    persona: Persona
    memory: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The choice has no place: `code` is an error code of the wire, `message` what the caller is told."""

    choice: ChoiceId
    code: str
    message: str
