"""The first words of a persona: owed once for each choice, until the caller has them.

What the server insists on (insisted.py) is owed as a greeting is: the disclosure with the first greeting of a call, and
by itself what is owed when nothing is asked.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from actors.call.insisted import Insisted, What
from actors.call.line import Leg
from actors.call.turns import DIED, DIED_ANSWERING, MOST_BLAME, Written
from actors.messages.bridge import Greet
from actors.messages.ids import ChoiceId
from personas import Persona
from personas.languages import has_words
from upstream.facts import NO_TURN, TurnId


@dataclass(slots=True)
class Greeting:
    """`number` is its place among the turns, `words` all of it.

    `asked`: a connection was told to say it. `begun`: that connection says it; until then nobody listens to the
    caller, or the model would answer before it has greeted. `said_before` is what a lost connection said of it.
    `blame`: for the connections that died while they had it. `written`: it has come in writing.
    """

    number: TurnId
    words: str
    asked: bool = False
    begun: bool = False
    said_before: str = ""
    blame: int = 0
    written: Written | None = None

    @property
    def rest(self) -> str:
        """The words that are still to be said."""
        left = self.words.split()[len(self.said_before.split()) :]
        return " ".join(left)


class Greetings:
    """At most one greeting is `owed`: that of the newest choice granted. `newest` is its number, also after."""

    def __init__(self) -> None:
        self.owed: Greeting | None = None
        self.newest = NO_TURN
        self.insisted = Insisted()
        self._places: dict[ChoiceId, TurnId] = {}  # choice that is not decided yet -> the number of its greeting

    @property
    def undecided(self) -> bool:
        """True while a choice is neither granted nor refused."""
        return bool(self._places)

    @property
    def comes_first(self) -> bool:
        """True while no connection may listen to the caller: a persona is being chosen, or has not begun to greet."""
        return self.undecided or (self.owed is not None and not self.owed.begun)

    def expect(self, choice: ChoiceId, number: TurnId) -> None:
        """A persona was asked for: its greeting has this number among the turns."""
        self._places[choice] = number

    def refused(self, choice: ChoiceId) -> None:
        """The choice was refused, so that nobody greets."""
        self._places.pop(choice, None)

    def owe(self, choice: ChoiceId, persona: Persona) -> None:
        """The choice was granted: this persona owes its greeting, and nobody else owes any."""
        self.drop()
        self.newest = number = self._places.pop(choice)
        lead = self.insisted.lead(number, What.DISCLOSURE, persona)
        self.owed = Greeting(number, f"{lead} {persona.greeting}" if lead else persona.greeting)

    def insist(self, number: Callable[[], TurnId], persona: Persona) -> bool:
        """What the server insists on is owed by this persona now. True if there is something to ask for."""
        if self.owed or self.undecided or not (what := self.insisted.next()):
            return False
        self.owed = Greeting(ask := number(), self.insisted.lead(ask, what, persona, alone=True), begun=True)
        return True

    def take_unspoken(self) -> Greeting | None:
        """The greeting, which is owed no more, if nothing of its rest can be spoken; else None."""
        greeting = self.owed
        if greeting is None or has_words(greeting.rest):
            return None
        self.owed = None
        return greeting

    def ask(self, live: Leg) -> None:
        """Have this connection say what is still owed."""
        if self.owed and live.bridge:
            self.owed.asked = True
            live.bridge.tell(Greet(self.owed.number, self.owed.rest))

    def settle(self, ask: TurnId) -> None:
        """The caller has the answer to this ask: if that is the greeting, nothing is owed any more."""
        if self.owed and ask == self.owed.number:
            self.owed = None

    def fail(self, ask: TurnId) -> None:
        """Nothing comes of this ask: if that is the greeting, nothing of it is owed but what is insisted on."""
        if self.owed and ask == self.owed.number:
            self.insisted.failed(ask, self.owed.said_before)
            self.owed = None

    def began(self, greeting: Greeting) -> None:
        """A connection says it."""
        greeting.begun = True
        self.insisted.began(greeting.number)

    def interrupt(self) -> None:
        """The caller wants to hear no more of it; a greeting that nobody was asked for is still given."""
        if self.owed and self.owed.asked:
            self.drop()

    def drop(self) -> None:
        """Nothing is owed any more, but what is insisted on and was not heard."""
        if self.owed:
            self.insisted.stopped(self.owed.number, self.owed.said_before)
        self.owed = None

    def died(self, answering: Collection[TurnId]) -> bool:
        """The connection died while it was `answering` these asks.

        True if others died of this greeting too: it is owed no more.
        """
        if not self.owed or not self.owed.asked:
            return False
        self.owed.blame += DIED_ANSWERING if self.owed.number in answering else DIED
        if self.owed.blame < MOST_BLAME:
            return False
        self.insisted.failed(self.owed.number, self.owed.said_before)
        self.owed = None
        return True

    def lost(self, said_before: Mapping[TurnId, str]) -> None:
        """The connection is gone; `said_before` holds, by ask, the words that the caller gets of each answer."""
        if self.owed:
            self.owed.begun = False
            self.owed.said_before = said_before.get(self.owed.number, self.owed.said_before)
            if not self.owed.rest:
                self.owed = None
