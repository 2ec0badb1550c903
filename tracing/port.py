"""What a call tells of where its time went, and who takes it. It knows no library, no clock and no thread."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

Fact: TypeAlias = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a call that is over, in seconds on the call's clock, with its `parts`. It holds no spoken words."""

    name: str
    began: float
    ended: float
    facts: Mapping[str, Fact] = field(default_factory=dict)
    parts: tuple["Span", ...] = ()
    failed: bool = False


class CallSpans(Protocol):
    """Takes the spans of one call. Each method returns at once and raises nothing, whoever is away."""

    def add(self, span: Span, /) -> None:
        """A stretch within the call is over."""
        ...

    def end(self, call: Span, /) -> None:
        """The call is over: the span of all of it."""
        ...


class Tracer(Protocol):
    """Takes the traces of a server's calls."""

    def call(self, now: float) -> CallSpans:
        """A call begins; `now` is the time on its clock."""
        ...
