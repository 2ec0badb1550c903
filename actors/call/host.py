"""What a session does for the objects that it owns, so that none of them knows an actor."""

from collections.abc import Callable
from typing import Protocol

from actors.call.timers import Timer
from actors.call.trace import Trace
from actors.call.watch import Watch
from actors.messages.admission import Wish
from actors.messages.bridge import Configure, ToBridge
from actors.messages.caller import Close
from actors.messages.ids import ChoiceId, Generation
from actors.runtime import Hired, Stop


class SwitchboardHost(Protocol):
    """What a session does for what it owns."""

    @property
    def clock(self) -> Callable[[], float]:
        """Seconds, on a clock that never goes back."""
        ...

    @property
    def watch(self) -> Watch:
        """It knows when whoever is wanted is given up."""
        ...

    @property
    def trace(self) -> Trace:
        """It is told where the time of the call goes."""
        ...

    def hire_bridge(self, generation: Generation, setup: Configure) -> Hired[ToBridge | Stop]:
        """Open the upstream connection of this generation."""
        ...

    def reserve(self, choice: ChoiceId, wish: Wish) -> None:
        """Ask the supervisor for a place with whoever this choice wishes for."""
        ...

    def release_slots(self, choices: frozenset[ChoiceId]) -> None:
        """Tell the supervisor that these choices need their places no more."""
        ...

    def after(self, seconds: float, message: Timer, /) -> None:
        """Set a timer of the session's; one of the same type that is set already is forgotten."""
        ...

    def cancel(self, kind: type, /) -> None:
        """Drop the timer of this type."""
        ...

    def leave(self, close: Close) -> None:
        """End the call, and tell the caller this; once it has ended nothing happens."""
        ...

    def lose(self, close: Close) -> bool:
        """Close the caller's connection; False, and nothing happens, if they may not come back over another."""
        ...

    def pace(self) -> None:
        """Release what is due of a streamed reply."""
        ...
