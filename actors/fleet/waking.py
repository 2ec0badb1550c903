"""A server that slept, or was taken for dead: its calls may go on elsewhere by now, and their callers with them.

    it wakes ──▶ nothing is written to callers, nothing is saved ──▶ the register tells the epochs ──▶ lives with an
                 older one end ──▶ the others go on

If the register does not answer within HELD_SECONDS all go on. Such a call may have a second life elsewhere until its
next save is refused, or until its caller, who is there, is missed here.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from actors.fleet.call_questions import EpochsAnswered, Questions
from actors.fleet.lives import Lives
from actors.gate import Gate
from actors.runtime.wakefulness import Wakefulness, on_a_stage
from register import Epoch

log = logging.getLogger(__name__)

HELD_SECONDS = 2.0
ASK_SECONDS = 0.25  # between two questions


@dataclass(frozen=True, slots=True)
class Slept:
    """Nothing was done here for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class AskAgain:
    """A timer: the register is to be asked for the epochs again."""


@dataclass(frozen=True, slots=True)
class HeldLongEnough:
    """A timer: the register has not answered."""


@dataclass(frozen=True, slots=True)
class AllTold:
    """Whoever has a newer life elsewhere has been told, and has done what follows."""


FromWaking: TypeAlias = Slept | AskAgain | HeldLongEnough | AllTold


class Waking:
    """`tell` and `after` are those of the registrar."""

    def __init__(
        self,
        lives: Lives,
        questions: Questions,
        gate: Gate,
        tell: Callable[[FromWaking], None],
        after: Callable[[float, FromWaking], None],
    ) -> None:
        self._lives, self._questions, self._gate, self._tell, self._after = lives, questions, gate, tell, after
        self._wakefulness: Wakefulness | None = None

    def watch(self) -> None:
        """The server begins."""
        if not on_a_stage():
            self._wakefulness = Wakefulness(self.slept)

    def stop(self) -> None:
        """The server ends."""
        if self._wakefulness:
            self._wakefulness.stop()
        self._gate.open()

    def slept(self, seconds: float) -> None:
        """Is told between two turns, before anything else is done."""
        self._lives.held = True
        self._gate.shut()
        self._tell(Slept(seconds))

    def come(self, message: FromWaking | EpochsAnswered) -> None:
        """Something of it has happened."""
        match message:
            case Slept(seconds):
                log.warning("nothing was done here for %.1f s: the register is asked whose calls moved", seconds)
                self._after(HELD_SECONDS, HeldLongEnough())
                self._questions.epochs(self._lives.users)
            case EpochsAnswered(epochs) if self._lives.held:
                self._answered(epochs)
            case AskAgain() if self._lives.held:
                self._questions.epochs(self._lives.users)
            case HeldLongEnough() if self._lives.held:
                log.warning("the register does not say whose calls are elsewhere: all of them go on here")
                self._release()
            case AllTold() if not self._lives.held:
                self._gate.open()

    def _answered(self, epochs: Mapping[str, Epoch] | None) -> None:
        if epochs is None:
            self._after(ASK_SECONDS, AskAgain())
        else:
            self._lives.woke(epochs)
            self._release()

    def _release(self) -> None:
        self._lives.held = False
        self._lives.came()
        # In the round after this one the turns of the sessions that were told come before ours.
        asyncio.get_running_loop().call_soon(self._tell, AllTold())
