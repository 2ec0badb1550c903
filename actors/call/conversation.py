"""Who said what to whom: the caller's turns in order, the greeting that is owed, and what is asked of the model."""

from collections import Counter
from math import inf

from actors.call.clips import Clips
from actors.call.connection import Caller
from actors.call.greeting import Greeting
from actors.call.line import Leg
from actors.call.owed import Owed
from actors.call.recordings import Recordings
from actors.call.replies import Replies
from actors.call.transcripts import Transcripts
from actors.call.turns import TurnOrder, Utterance
from actors.call.uplink import Uplink
from actors.call.watch import Waiting
from actors.messages.bridge import AskClip, AskText, CancelReply, ContinueReply, Greet, TruncateReply
from actors.messages.caller import Error, Mode, Notice, SpeechStarted, SpeechStopped
from actors.messages.ids import ChoiceId
from actors.messages.persona import ToPersona
from actors.runtime import Ref
from realtime.client import errors
from realtime.client.errors import Action
from upstream import facts
from upstream.facts import (
    NO_TURN,
    AskFailed,
    Committed,
    Event,
    Postponed,
    ReplyAudio,
    ReplyBegan,
    ReplyEnded,
    ReplyNumber,
    ReplyWords,
    Transcribed,
    TurnId,
)

MOST_WAITING = 8  # clips and typed turns of one caller that are not asked yet
MOST_ASKED = 4  # that the upstream has and has not answered; then the next one waits
MOVES = ReplyEnded | AskFailed | Committed | facts.SpeechStopped | Postponed
"""What is asked of the model, or waited for, may be something else after one of these."""
WRONG_MODE: dict[Mode, str] = {
    "clip": "This call takes recorded clips: send audio, or config with mode stream.",
    "stream": "This call is a stream: send binary frames, or config with mode clip first.",
}


class Conversation:
    """What has been said in a call and is not settled yet. Owned by a session, which says which leg is live."""

    def __init__(self, caller: Caller, persona: Ref[ToPersona], clips: Clips) -> None:
        self._caller, self._persona = caller, persona
        self.tally: Counter[str] = Counter()
        self._turns = TurnOrder()
        self.replies = Replies(caller, persona, self.tally)
        """What the caller hears; how far their player is goes straight there."""
        self.stream = Uplink()
        """What the caller says as it is spoken goes straight there."""
        self._places: dict[ChoiceId, TurnId] = {}  # choice that is not granted yet -> the number of its greeting
        self._greeting: Greeting | None = None  # while it is owed
        self._words = Transcripts(caller, persona, self._turns)
        self.recordings = Recordings(clips, self._turns)
        """What the caller says in clips goes there."""
        self._owed = Owed(self._turns, self.replies, self.stream, self.tally)
        self._spoke_at = -inf

    # The caller's turns.

    def expect(self, choice: ChoiceId) -> None:
        """A persona was asked for: its greeting takes its place in the order here, before what is said to it."""
        self._places[choice] = self._turns.number()
        self.stream.wait()  # what is said now is meant for the new one

    def type(self, choice: ChoiceId, now: float, text: str) -> None:
        """A typed turn has come."""
        self._spoke_at = now
        self._words.typed(self._turns.arrive(choice, now, text).number, text)

    @property
    def spoke_at(self) -> float:
        """When the caller said something last: a turn, or words that the model heard."""
        return max(self._spoke_at, self.recordings.came_at)

    @property
    def full(self) -> bool:
        """No more of the caller's turns can wait."""
        return sum(not said.asked for said in self._turns) >= MOST_WAITING

    @property
    def said(self) -> int:
        """How much has been said: what a connection was told before it grew, it does not know whole."""
        return self._turns.last

    def silent(self, now: float) -> bool:
        """Nobody speaks, nothing plays at the caller's ear, and nothing is owed: not a word, nor that it is written."""
        owed = self._greeting or self._places or self._turns.waiting or self._words.missing(now)
        return not (owed or self.stream.speaking) and self.replies.silent(now)

    def retag(self, refused: ChoiceId, choice: ChoiceId) -> None:
        """A choice was refused; what was said to it goes to the persona before, if there is one."""
        self._places.pop(refused, None)
        self._turns.retag(refused, choice)
        if not choice:
            self.stream.drop()  # or whoever is chosen next would hear it
        if not choice and self._forget([said for said in self._turns if said.choice == 0]):
            self._caller.tell(Error("no_persona", "Nobody is on the line who could answer: choose a persona first."))

    @property
    def came(self) -> Mode | None:
        """How the caller spoke, where something of it waits."""
        if not self.stream.empty:
            return "stream"
        return "clip" if any(said.clip for said in self._turns) else None

    def sift(self, clips: bool, stream: bool) -> None:
        """It is known now whether the call takes clips, and a stream: what came in another way is refused."""
        if not clips and self._forget([said for said in self._turns if said.clip]):
            self._caller.tell(Error("wrong_mode", WRONG_MODE["stream"]))
        if not stream and not self.stream.empty:
            self.stream.drop()
            self._caller.tell(Error("wrong_mode", WRONG_MODE["clip"]))

    def release(self, live: Leg, now: float) -> None:
        """Ask what is ready to be asked, in order, and listen, unless a greeting comes first.

        In this order: what a connection that was lost had heard already comes before what is still in the microphone.
        """
        self._ask(live, now)
        self._listen(live)

    def _ask(self, live: Leg, now: float) -> None:
        while not self._greeting and live.bridge and (said := self._turns.next(live.selection.choice)):
            if self.stream.speaking or sum(other.asked for other in self._turns) >= MOST_ASKED:
                return
            if not said.said_before:
                self.barge_in(live, said.arrived, now)
            self._turns.change(said.number, asked=True)
            if said.said_before:
                live.bridge.tell(ContinueReply(said.number))
            elif isinstance(said.content, bytes):
                live.bridge.tell(AskClip(said.number, said.content))
                self._words.expect(said.number, now)
            elif said.content is not None:
                live.bridge.tell(AskText(said.number, said.content))
                self._words.remember(live, said.number, said.content)

    # What the caller waits for.

    def waits(self, leg: Leg) -> list[Waiting]:
        """From this connection, which serves them."""
        return self._owed.waits(leg, self._greeting)

    def give_up(self, live: Leg) -> None:
        """Nothing comes of what was asked, on this connection neither: it is settled, and what waits is asked."""
        asked = [*self._owed.asks(self._greeting), *(said.number for said in self._turns if said.asked)]
        if live.bridge:
            live.bridge.tell(CancelReply(overdue=True))
        self.replies.lost(live.generation)
        if self.stream.stopped:
            self.stream.committed()
        self._failed(max(asked, default=NO_TURN), "nothing came")

    # Which persona, and which connection.

    def take_over(self, live: Leg) -> None:
        """A new connection has the line: it owes the greeting of a choice, or goes on where the one before was lost."""
        if not self.replies.streamed and not self._places:
            self.stream.drop()  # it was for a persona who has left, and was kept because they might have come back
        if self._greeting and live.bridge:
            self._greeting.asked = True
            live.bridge.tell(Greet(self._greeting.number, self._greeting.rest))

    def lost(self, leg: Leg) -> None:
        """The live connection is gone: what it has not answered will be asked again, on the next one."""
        said_before = self.replies.lost(leg.generation)
        for ask in said_before:
            self._settle_before(ask)
            self.stream.acknowledge(ask)  # its answer has begun and goes on: heard once more it would begin anew
        self._owed.lost()
        self.stream.hold()
        for number in self.stream.heard_again:
            self._turns.forget(number)
            self._words.remember(leg, number, "")  # or it would be known before what was said before it
        if self._greeting:
            self._greeting.begun = False
            self._greeting.said_before = said_before.get(self._greeting.number, self._greeting.said_before)
            if not self._greeting.rest:
                self._greeting = None
        passed = {said.behind for said in self._turns}  # what was typed since goes before the rest of these answers
        for said in [said for said in self._turns if said.asked]:
            if said.number in passed and said.number in said_before:
                self._turns.forget(said.number)
                continue
            before = "" if said.cancelled else said.said_before  # of a connection that was lost even earlier
            self._ask_again(leg, said, said_before.get(said.number, before))

    def roll_over(self) -> None:
        """At a silent moment another connection, which knows all that was said, has taken over from the live one."""
        self.stream.hold()

    def _ask_again(self, leg: Leg, said: Utterance, said_before: str) -> None:
        behind = any(not other.asked and other.number < said.number for other in self._turns)
        if said.cancelled and said.said_before:
            self._turns.forget(said.number)  # nobody waits for the rest
        elif said_before:
            self._turns.change(said.number, asked=False, behind=0, said_before=said_before)
        elif not said.content:
            self._turns.forget(said.number)  # the microphone has it, and plays it to the next one; or it was noise
            self.stream.unheard = not said.cancelled or self.stream.unheard
        elif said.cancelled and isinstance(said.content, str) and not behind:
            self._turns.forget(said.number)  # the next one knows it, and nobody waits for an answer
        else:
            self._turns.change(said.number, asked=False, cancelled=False, behind=0, said_before="")
            self._words.remember(leg, said.number, "")  # or the next one would know it twice

    def switch(self, live: Leg | None, choice: ChoiceId, greeting: str, now: float) -> None:
        """Another persona is wanted: the one on the line falls silent, what was meant for it is over."""
        self.barge_in(live, now, now)
        self.stream.hold()
        self._greeting = Greeting(self._places.pop(choice), greeting)
        self._drop([said for said in self._turns if said.choice < choice])

    def restore(self, failed: ChoiceId) -> None:
        """The switch failed and the persona before goes on: what was meant for the other is over."""
        self._greeting = None
        self._drop([said for said in self._turns if said.choice == failed])

    def interrupt(self, live: Leg | None, now: float) -> None:
        """The caller wants no answer to what was said so far; a greeting that has not begun is still given."""
        self.barge_in(live, now, now)
        if self._greeting and self._greeting.asked:
            self._greeting = None
        self._forget(list(self._turns))

    def change_mode(self, live: Leg | None, now: float) -> None:
        """From here on the caller speaks in another way: what was said and not answered is over."""
        self.interrupt(live, now)
        self.stream.drop()

    def set_mode(self, streamed: bool, now: float) -> None:
        """Now it is known that the caller speaks in a stream, or in clips."""
        self.replies.set_mode(streamed, now)

    def barge_in(self, live: Leg | None, since: float, now: float) -> None:
        """Something was said at `since`: stop what was playing then, and what is being answered."""
        if self._stop(live, since, now) and live and live.bridge:
            live.bridge.tell(CancelReply())

    def _stop(self, live: Leg | None, since: float, now: float, behind: TurnId = NO_TURN) -> bool:
        """On our side; True if something is being answered. What was said `behind` that goes on."""
        asked = [said for said in self._turns if said.asked]
        answering = bool(self._greeting or asked)  # before a part that was heard settles what it answers
        for ask in self.replies.stop(live, since, now):
            self._settle(ask)
        if answering and live and live.bridge:
            self.replies.drop_unsent(live)
        for said in asked:
            self._turns.change(said.number, cancelled=said.cancelled or said.number != behind)
        return answering

    # What the upstream says.

    def learn(self, leg: Leg, live: bool, event: Event, now: float) -> None:
        """The upstream of `leg` said something; but for transcripts it counts only from the one that is `live`."""
        match event:
            case ReplyAudio() | ReplyWords() if live:
                self.replies.add(leg.generation, event)
            case ReplyBegan(reply, ask) if live:
                self._reply_began(leg, reply, self._words.number(leg, ask), now)
            case ReplyEnded() if live:
                self._reply_ended(leg, event, now)
            case facts.SpeechStarted(ask, at_ms, behind) if live and self.replies.streamed:
                self._caller_speaks(leg, self._words.number(leg, ask), at_ms, behind, now)
            case facts.SpeechStopped(_, at_ms) if live and self.replies.streamed:
                self._spoke_at = now
                self.stream.paused(at_ms)
                self._caller.tell(SpeechStopped())
            case Committed(ask) if live:
                self._committed(leg, self._words.number(leg, ask), now)
            case Transcribed(ask, text, final):
                self._heard(leg, self._words.number(leg, ask), text, final)
            case AskFailed(ask, code) if live:
                self._failed(self._words.number(leg, ask), code)
            case Postponed(reply, ask, seconds) if live:
                number = self._words.number(leg, ask)
                self._owed.put_off(number, seconds)
                self.replies.postponed(leg.generation, reply)
            case _:
                pass  # of a connection that is retiring

    def _caller_speaks(self, leg: Leg, number: TurnId, at_ms: int, behind: TurnId, now: float) -> None:
        self._spoke_at = now
        self.stream.began(number, at_ms)
        self._turns.change(behind, behind=number)
        self._stop(leg, now, now, behind)  # the upstream stopped by itself when it heard this
        self._greeting = None  # it has begun, or nobody would have heard the caller
        self._caller.tell(SpeechStarted())

    def _committed(self, leg: Leg, number: TurnId, now: float) -> None:
        self.stream.committed()
        self._turns.commit(number, leg.selection.choice, now)
        self._words.expect(number, now)

    def _reply_began(self, leg: Leg, reply: ReplyNumber, ask: TurnId, now: float) -> None:
        said, greeting = self._turns.get(ask), self._greeting
        if greeting and ask == greeting.number:
            greeting.begun = True
            if not greeting.said_before:
                self.stream.greeted()
            self._listen(leg)
            self.replies.began(leg, reply, ask, greeting.said_before, now)
        elif said and not said.cancelled:
            self.replies.began(leg, reply, ask, said.said_before, now)
        elif leg.bridge:
            leg.bridge.tell(TruncateReply(reply, 0))  # it began before our Hush arrived: nobody hears it

    def _reply_ended(self, leg: Leg, ended: ReplyEnded, now: float) -> None:
        self._owed.heard_of()
        ask = self._words.number(leg, ended.ask)
        answered = self.replies.ended(leg.generation, ended, now)
        if answered:
            self._settle(ask)
        elif answered is False:
            self._failed(ask, ended.reason or "it said nothing")
        elif (said := self._turns.get(ask)) and said.behind:
            # The caller was still speaking when it began: one answer serves both.
            self._turns.change(ask, cancelled=True, behind=0)

    def _heard(self, leg: Leg, number: TurnId, text: str, final: bool) -> None:
        self._words.heard(leg, number, text, final, at_once=self.replies.streamed)
        if not final:
            return
        self.stream.acknowledge(number)
        if (said := self._turns.get(number)) and said.content is None:
            self._turns.change(number, content=text)

    def _failed(self, ask: TurnId, reason: str) -> None:
        self._owed.heard_of()
        self._settle(ask)
        self.tally["failed"] += 1
        if errors.of(reason) is Action.FULL:
            self._caller.tell(Error("busy", "Too many want an answer at this moment: say it again in a while."))
        else:
            self._caller.tell(Error("upstream_unavailable", f"The model could not answer ({reason}): say it again."))

    def _settle(self, ask: TurnId) -> None:
        """An answer to `ask` answers all that was asked before it as well, and is it the greeting, then that."""
        self._owed.settled(ask)
        if self._greeting and ask == self._greeting.number:
            self._greeting = None
        self._settle_before(ask)
        if (said := self._turns.get(ask)) and said.asked:
            self._turns.forget(ask)
            self.stream.acknowledge(ask)

    def _settle_before(self, ask: TurnId) -> None:
        for said in self._turns.before(ask):
            self._turns.forget(said.number)
            self.stream.acknowledge(said.number)

    def _listen(self, live: Leg) -> None:
        """Let the live connection hear the caller, unless another is being called, or a greeting comes first."""
        greeting = self._greeting
        if not live.ready or not self.replies.streamed or self._places or (greeting and not greeting.begun):
            return
        if not self.stream.listen(live):
            self._caller.tell(Notice("say_again", "Some of what you said was lost on the line: say it again."))

    def _drop(self, gone: list[Utterance]) -> None:
        if self._forget(gone):
            self._caller.tell(Notice("say_again", "What you said was for a persona who has left: say it again."))

    def _forget(self, gone: list[Utterance]) -> bool:
        """Nobody will answer these; True if there were any."""
        self.recordings.forget(*gone)
        for said in gone:
            self.stream.acknowledge(said.number)
        return bool(gone)

    def close(self) -> None:
        """Nobody is left to answer, or to hear: what is being decoded is cancelled, and nothing of it all is kept."""
        self._forget(list(self._turns))
        self.replies.close()
        self.stream.drop()
