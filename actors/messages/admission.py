"""Who comes in, who is on the line and who leaves: endpoint, supervisor, session and trial."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from actors.messages.caller import Close, Counted, FromCaller, Mode, ToCaller
from actors.messages.ids import ChoiceId
from actors.runtime import LoopRef, Ref
from personas import Persona

GONE = Close(1006, "the connection is gone")  # what a client that says nothing is counted as


@dataclass(frozen=True, slots=True)
class Admitted:
    """You may come in: from now on tell this session what the caller says."""

    session: "LoopRef[From | Detached]"


@dataclass(frozen=True, slots=True)
class Connected:
    """A caller's connection asks to come in; `outbox` is told Admitted, or an Error and a Close.

    `mode` is that of its address. `address` is the caller's own, empty where callers are not limited by it.
    """

    user: str
    connection: int
    outbox: Ref[ToCaller | Admitted]
    mode: Mode | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """How the supervisor is: whether a call would be let in now, and how many are on the line."""

    admitting: bool
    callers: int


@dataclass(frozen=True, slots=True)
class Inquired:
    """Somebody outside wants to know how it goes."""

    reply_to: Ref[Report]


@dataclass(frozen=True, slots=True)
class Attached:
    """The caller's connection, by number; what an older number says is dropped from now on.

    They speak in this mode, if one is given, until a config names another.
    """

    connection: int
    outbox: Ref[ToCaller]
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class Detached:
    """The connection is gone, and how: closed by the caller, or by its shore; else simply gone."""

    connection: int
    how: Close = GONE


@dataclass(frozen=True, slots=True)
class From:
    """What the caller said, on this connection."""

    connection: int
    message: FromCaller


@dataclass(frozen=True, slots=True)
class Displaced:
    """Others needed the room that something of this caller's took while it waited: `counted` as in Recorded."""

    counted: Counted


@dataclass(frozen=True, slots=True)
class Replaced:
    """The same user has called again, over a newer connection."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """The session is its caller's no more; its Down follows when the last facts are in.

    `code` is that with which the connection was closed, 1006 when it was simply gone.
    """

    session: LoopRef[Any]
    code: int


@dataclass(frozen=True, slots=True)
class AccountBlocked:
    """The upstream refuses our account: it would refuse every other call as well."""

    reason: str


@dataclass(frozen=True, slots=True)
class Served:
    """The upstream serves our account again: it has answered a connection of the server's own."""


@dataclass(frozen=True, slots=True)
class Reserve:
    """The caller would be put on the line with the first of these who may have one more.

    Granted comes back, or Declined when none of them may.
    """

    session: "LoopRef[Reserved | Declined]"
    choice: ChoiceId
    personas: tuple[Persona, ...]


@dataclass(frozen=True, slots=True)
class ReleaseSlots:
    """Of the personas that it has claimed, by id, the session needs only these any more."""

    session: LoopRef[Any]
    keeps: frozenset[str]


FromSession: TypeAlias = Leaving | AccountBlocked | Reserve | ReleaseSlots
FromTrial: TypeAlias = Served


@dataclass(frozen=True, slots=True)
class Reserved:
    """The persona of this choice is the caller's, in this very version."""

    choice: ChoiceId
    persona: Persona


@dataclass(frozen=True, slots=True)
class Declined:
    choice: ChoiceId
    code: str
    message: str
