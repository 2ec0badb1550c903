"""When a judge model is asked about a call, and with which words. State and arithmetic; the guardian owns it.

    the caller has said something ──▶ waits ──▶ asked, once no question is open and the last is long enough ago
                                        ▲          │
                                        └──────────┴── said meanwhile: one more question, with all of it

A question that the judge cannot take, or does not answer, is not asked again: what the caller says next is.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from actors.messages.guardian import Judged
from upstream.facts import Role

MOST_TURNS = 8  # of both sides, that are sent
MOST_CHARACTERS = 600  # of a turn: its end

Talk = tuple[tuple[Role, str], ...]
"""Who said what, the oldest first."""


class Judge(Protocol):
    """Asks a model whether a caller may be in danger."""

    @property
    def pause(self) -> float:
        """Seconds between two questions about one call."""
        ...

    def ask(self, talk: Talk, tell: Callable[[Judged], None]) -> Callable[[], None] | None:
        """Ask in a task, which tells Judged, once, and never before this returns.

        Returns what gives the question up: then nothing is told. None if too many are open: nothing was asked.
        """


@dataclass(frozen=True, slots=True)
class JudgeDue:
    """A timer: the judge may be asked again."""


class Judging:
    """One call's. Without a `judge` nothing is asked, and no words are kept. `after` sets a timer."""

    def __init__(
        self, judge: Judge | None, tell: Callable[[Judged], None], after: Callable[[float, JudgeDue], None]
    ) -> None:
        self._judge, self._told, self._after = judge, tell, after
        self._talk: deque[tuple[Role, str]] = deque(maxlen=MOST_TURNS)
        self._give_up: Callable[[], None] | None = None  # the question that is open
        self._waits = self._rests = False

    def hear(self, role: Role, text: str) -> None:
        """Somebody has said this; if it was the caller, the judge is to be asked."""
        if self._judge and text:
            self._talk.append((role, text[-MOST_CHARACTERS:]))
            self._waits = self._waits or role == "user"
            self._ask()

    def answered(self) -> None:
        """The question that was open is answered, or failed."""
        self._give_up = None
        self._ask()

    def due(self) -> None:
        """The pause is over."""
        self._rests = False
        self._ask()

    def rest(self) -> None:
        """Danger is sure: nothing more is asked, and no words are kept. An open question is answered all the same."""
        self._waits = False
        self._talk.clear()

    def close(self) -> None:
        """No answer is wanted any more, and no words are kept."""
        self.rest()
        if self._give_up:
            self._give_up()

    def _ask(self) -> None:
        if not self._judge or not self._waits or self._rests or self._give_up:
            return
        self._waits, self._rests = False, True
        self._after(self._judge.pause, JudgeDue())
        self._give_up = self._judge.ask(tuple(self._talk), self._told)
