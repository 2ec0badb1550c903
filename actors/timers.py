"""What a session tells itself in a while."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quiet:
    """A timer: has the caller said anything lately?"""


@dataclass(frozen=True, slots=True)
class TimeUp:
    """A timer: the call has lasted as long as a call may."""


@dataclass(frozen=True, slots=True)
class Pace:
    """A timer: more of a reply may be released."""


@dataclass(frozen=True, slots=True)
class Muted:
    """A timer: does the caller who was speaking still send audio?"""


@dataclass(frozen=True, slots=True)
class Retry:
    """A timer: another upstream connection is due."""
