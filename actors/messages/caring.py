"""What is said because a caller may be in danger: to them, to the persona, and to the supervisor."""

from dataclasses import dataclass, field
from typing import Any

from actors.runtime import LoopRef


@dataclass(frozen=True, slots=True)
class HelpNumber:
    """Whom to call. `languages` are ISO 639-1 codes."""

    name: str
    number: str
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Help:
    """The caller is told whom to call: a notice on the wire. `metered`: the time is charged as before."""

    message: str
    numbers: tuple[HelpNumber, ...]
    metered: bool


@dataclass(frozen=True, slots=True)
class TakeCare:
    """From now on this section stands in every prompt; with `free`, no time is metered any more."""

    section: str = field(repr=False)
    free: bool


@dataclass(frozen=True, slots=True)
class InCare:
    """The call of this session is in care: in a drain it ends last."""

    session: LoopRef[Any]
