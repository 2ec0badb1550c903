"""What concerns both sides of a call: asking in order, barge-in, the loss of a connection, a switch of persona."""

from collections import Counter

from actors.call.connection import Caller
from actors.call.greeting import Greetings
from actors.call.inbound import Inbound
from actors.call.line import Leg
from actors.call.outbound import Outbound
from actors.call.owed import Owed
from actors.messages.bridge import CancelReply
from actors.messages.ids import ChoiceId
from personas import Persona
from upstream.facts import NO_TURN, TurnId


class Conversation:
    """The `inbound` and the `outbound` side of a call, the `greetings` between them, and the answers `owed`.

    It is told which connection is live; times are seconds on a clock that never goes back. What concerns one side
    alone is told to that side.
    """

    def __init__(self, caller: Caller, inbound: Inbound, outbound: Outbound, tally: Counter[str]) -> None:
        self.caller, self.inbound, self.outbound = caller, inbound, outbound
        self.greetings = Greetings()
        outbound.stopped = self.greetings.insisted.stopped
        self.owed = Owed(caller, inbound, outbound, self.greetings, tally)
        self.as_foretold = False  # what the newest loss left of the answer is what was foretold
        self._foretold: dict[TurnId, str] = {}

    def silent(self, now: float) -> bool:
        """True if nobody speaks, nothing plays at the caller's ear, and nothing is owed, also no transcript."""
        greets = self.greetings.owed or self.greetings.undecided
        return not greets and self.inbound.quiet(now) and self.outbound.silent(now)

    # Which persona.

    def expect(self, choice: ChoiceId) -> None:
        """A persona was asked for: its greeting takes its place in the order here, before what is said to it."""
        self.greetings.expect(choice, self.inbound.turns.number())
        self.inbound.stream.wait()  # what is said now is meant for the new one

    def retag(self, refused: ChoiceId, choice: ChoiceId, *, nobody: bool) -> None:
        """A choice was refused; what was said to it goes to the persona before, if there is one.

        `nobody`: there is none after it either.
        """
        self.greetings.refused(refused)
        self.inbound.retag(refused, choice, nobody)

    def switch(self, live: Leg | None, choice: ChoiceId, persona: Persona, now: float) -> None:
        """Another persona is wanted: the one on the line falls silent, and what was meant for it is dropped."""
        self.barge_in(live, now, now)
        self.inbound.stream.hold()
        self.greetings.owe(choice, persona)
        self.inbound.drop([said for said in self.inbound.turns if said.choice < choice])

    def restore(self, failed: ChoiceId) -> None:
        """The switch failed and the persona before goes on: what was meant for the other is dropped."""
        self.greetings.drop()
        self.inbound.drop([said for said in self.inbound.turns if said.choice == failed])

    # Which connection.

    def take_over(self, live: Leg) -> None:
        """A new connection has the line: it owes the greeting of a choice, or goes on where the one before was lost."""
        if not self.outbound.streamed and not self.greetings.undecided:
            self.inbound.stream.drop()  # it was for a persona who has left, and was kept in case they came back
        if (unspoken := self.greetings.take_unspoken()) and not unspoken.said_before:
            self.outbound.show(live, unspoken.number, unspoken.words)  # no model could say it, and none is asked
        self.greetings.ask(live)

    def lost(self, leg: Leg, died: bool = False) -> bool:
        """The live connection is gone: what it has not answered is asked again on the next one.

        True if it `died` over turns of which another died before: they are dropped.
        """
        given = self.outbound.lost(leg.generation)
        self.as_foretold, self._foretold = bool(given) and given == self._foretold, {}
        return self.owed.lost(leg, given, died)

    def foretell(self, live: Leg, now: float) -> bool:
        """What is left of an answer if this connection is lost: the next one is to know it. False if that is not known.

        A turn that is not written down yet would be missing before it, and one that must be asked again would be there
        twice.
        """
        self._foretold = {}
        if self.inbound.words.missing(now):
            return False
        rest = self.outbound.lost(live.generation, falters=True)
        if {said.number for said in self.inbound.turns if said.asked} <= rest.keys():
            self._foretold = rest
        return bool(self._foretold)

    def release(self, live: Leg, now: float) -> None:
        """Ask what is ready to be asked, in order, and listen, unless a greeting comes first.

        In this order: what a connection that was lost had heard already comes before what is still in the microphone.
        """
        turns, stream = self.inbound.turns, self.inbound.stream
        if live.bridge and not (stream.speaking or self.owed.asks()):
            self._insist(live)
        while live.bridge and not (self.greetings.owed or stream.speaking):
            said = turns.next(live.selection.choice)
            if not said:
                break
            if not said.said_before:
                self.barge_in(live, said.arrived, now)
            self.owed.ask(live, said, now)
        self.listen(live)

    def _insist(self, live: Leg) -> None:
        """Nothing is asked: say what the caller must hear, or write what cannot be said."""
        number, persona = self.inbound.turns.number, live.selection.persona
        for words in self.greetings.insisted.spent(persona):
            self.outbound.show(live, number(), words)
        if self.greetings.insist(number, persona):
            self.greetings.ask(live)

    def listen(self, live: Leg) -> None:
        """Let the live connection hear the caller, unless another is being called, or something else comes first.

        That is a greeting, or what a connection that was lost has heard before: the model takes up by itself what it
        hears, and would have the later words before the earlier ones.
        """
        first = self.greetings.comes_first or self.inbound.turns.heard_before
        if live.ready and self.outbound.streamed and not first:
            self.inbound.listen(live)

    # Barge-in.

    def interrupt(self, live: Leg | None, now: float) -> None:
        """The caller wants no answer to what was said so far; a greeting that has not begun is still given."""
        self.barge_in(live, now, now)
        self.greetings.interrupt()
        self.owed.take_back()
        self.inbound.forget(list(self.inbound.turns))

    def barge_in(self, live: Leg | None, since: float, now: float) -> None:
        """Something was said at `since`: stop what was playing then, and what is being answered."""
        if self.stop(live, since, now) and live and live.bridge:
            live.bridge.tell(CancelReply())

    def stop(self, live: Leg | None, since: float, now: float, behind: TurnId = NO_TURN) -> bool:
        """The same without telling the model. True if something is being answered.

        `behind` is a turn whose answer is wanted all the same, 0 for none.
        """
        greeting, asked = self.greetings.owed, [said for said in self.inbound.turns if said.asked]
        answering = bool(greeting or asked)  # before a part that was heard settles what it answers
        for ask in self.outbound.stop(live, since, now):
            self.owed.settle(ask)
        if answering and live and live.bridge:
            self.outbound.drop_unsent(live)
        for said in asked:
            self.inbound.turns.change(said.number, cancelled=said.cancelled or said.number != behind)
        return answering

    def close(self) -> None:
        """The call is over: drop what waits and what plays."""
        self.inbound.close()
        self.outbound.close()
