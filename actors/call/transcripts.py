"""The caller's words: which turn of ours each connection's spoken turns are, and what was written down of them."""

from collections.abc import Callable
from typing import TypeAlias

from actors.call.connection import Caller
from actors.call.line import Leg
from actors.call.turns import TurnOrder
from actors.messages.caller import Transcript
from actors.messages.ids import Generation
from actors.messages.persona import Remember, ToPersona
from actors.runtime import Ref
from upstream.facts import Role, TurnId

Overhear: TypeAlias = Callable[[Role, Generation, TurnId, str, bool], None]
"""Told of what is said: by whom, on which connection, the turn (an answer has that of what it answers), some more of
the words or, if final, all of them."""

LATE_SECONDS = 10.0  # a transcript that has not come by then is not waited for


def nobody(*_: object) -> None:
    """Nobody listens."""


class Transcripts:
    """Shows the caller their own words, and has the persona remember them."""

    def __init__(self, caller: Caller, persona: Ref[ToPersona], turns: TurnOrder) -> None:
        self._caller, self._persona, self._turns = caller, persona, turns
        self.overhear: Overhear = nobody
        self._shown: set[TurnId] = set()  # the turns whose words the caller has seen
        self._numbers: dict[
            tuple[Generation, TurnId], TurnId
        ] = {}  # (generation, ask below 0) -> our number of that turn
        self._due: dict[TurnId, float] = {}  # turn that is not written down yet -> until when that is waited for

    def number(self, leg: Leg, ask: TurnId) -> TurnId:
        """Our number of a turn that a connection calls `ask`: below 0 it is one that the connection heard by itself."""
        if ask > 0:
            return ask
        key = (leg.generation, ask)
        if key not in self._numbers or not ask:
            self._numbers[key] = self._turns.number()
        return self._numbers[key]

    def typed(self, number: TurnId, text: str) -> None:
        """The caller has typed these words."""
        self.overhear("user", Generation(0), number, text, True)
        self._show(number, text, final=True)

    def expect(self, number: TurnId, now: float) -> None:
        """The model has heard this turn, and will write it down."""
        self._due[number] = now + LATE_SECONDS

    def missing(self, now: float) -> bool:
        """True if a transcript is still to come, and not overdue."""
        return any(now < due for due in self._due.values())

    def heard(self, leg: Leg, number: TurnId, text: str, final: bool, at_once: bool) -> None:
        """The model has written down some words, or all; `at_once`: the caller sees them as they come."""
        self.overhear("user", leg.generation, number, text, final)
        if text and number not in self._shown and (final or at_once):  # asked again after a loss, it was shown before
            self._show(number, text, final)
        if final:
            self._due.pop(number, None)
            self.remember(leg, number, text)

    def remember(self, leg: Leg, number: TurnId, text: str) -> None:
        """Have the persona remember these words of a turn; empty ones, if the turn is asked again."""
        self._persona.tell(Remember(leg.selection.persona.id, number, "user", text))

    def _show(self, number: TurnId, text: str, final: bool) -> None:
        if final:
            self._shown.add(number)
        self._caller.tell(Transcript("user", text, f"user.{number}", final))
