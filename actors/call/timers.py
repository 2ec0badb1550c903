"""What a session's timers tell it."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Look:
    """Is anything due of what the caller waits for?"""


@dataclass(frozen=True, slots=True)
class TimeUp:
    """The call has lasted as long as a call may."""


@dataclass(frozen=True, slots=True)
class ReleaseDue:
    """More of a reply may be released."""


@dataclass(frozen=True, slots=True)
class MicrophoneSilent:
    """Does the caller who was speaking still send audio?"""


@dataclass(frozen=True, slots=True)
class ReconnectDue:
    """Another upstream connection is due."""


@dataclass(frozen=True, slots=True)
class GraceOver:
    """The caller was away for as long as they may be."""


@dataclass(frozen=True, slots=True)
class PauseDue:
    """The call ends at a pause: is there one?"""


@dataclass(frozen=True, slots=True)
class ReminderDue:
    """The caller is to be told again that an AI speaks."""


@dataclass(frozen=True, slots=True)
class SaveDue:
    """The call is to be saved for the other nodes of the fleet."""


@dataclass(frozen=True, slots=True)
class MoveDue:
    """The server ends: it is the turn of this call to move to another node."""


@dataclass(frozen=True, slots=True)
class CareOver:
    """The call was in care for as long as a call may."""


Timer: TypeAlias = (
    CareOver | ReminderDue | Look | GraceOver | TimeUp | ReleaseDue | MicrophoneSilent | ReconnectDue | PauseDue
    | SaveDue | MoveDue
)  # fmt: skip
