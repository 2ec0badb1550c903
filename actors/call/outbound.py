"""The persona's side of a call: replies as they are made, released to the caller, heard and remembered.

Which bytes are released when, and which were heard, playout.py says.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from actors.call.connection import Caller
from actors.call.line import Leg
from actors.call.outgoing import OutgoingReply, join
from actors.call.phases import Phase, Phases
from actors.call.playout import Playout, silence
from actors.call.transcripts import Overhear, nobody
from actors.call.turns import Written
from actors.messages.bridge import TruncateReply
from actors.messages.caller import AudioResponse, TextResponse, Transcript
from actors.messages.ids import Generation
from actors.messages.persona import Remember, ToPersona
from actors.runtime import Ref
from upstream.facts import ReplyAudio, ReplyEnded, ReplyNumber, ReplySaid, ReplyWords, TurnId


class Outcome(Enum):
    """What became of a reply."""

    ANSWER = "the caller gets it"
    WRITTEN = "the caller has its words, and it has no sound"
    FAILED = "nothing came of it"
    CANCELLED = "the upstream has stopped it, and nobody here wanted that"
    STOPPED = "nobody wants to hear more of it"


@dataclass(frozen=True, slots=True)
class Coming:
    """A reply that is being made: when some of it came last, and when the caller has heard all that came.

    `dry_at` is None where that is no silence in the middle of it: none of it has sound yet, all of what has begun was
    said, or the caller gets it whole.
    """

    reply: ReplyNumber
    at: float
    dry_at: float | None


class Outbound:
    """What plays at the caller's is in `playing`.

    With `streamed` a reply is released as it comes, at the pace at which it plays; else whole, once it is complete.

    `now` and `since` are seconds on a clock that never goes back; a `generation` is that of the connection.
    """

    def __init__(self, caller: Caller, persona: Ref[ToPersona], tally: Counter[str], phases: Phases) -> None:
        self._caller, self._persona, self._tally = caller, persona, tally
        self.phases = phases
        self.playing = Playout(phases)
        self.streamed = False
        self.stopped: Callable[[TurnId, str, bool], None] = lambda ask, heard, at_once: None
        """Told of each reply that is stopped: its ask, what was heard of it, and whether it was sent at once."""

        self.overhear: Overhear = nobody

    def set_mode(self, streamed: bool, now: float) -> None:
        """From now on replies are streamed, or not; so is one that is being made."""
        self.streamed = streamed
        for outgoing in self.playing:
            if streamed and outgoing.since is None:
                outgoing.since = now

    @property
    def unsent(self) -> int:
        """Bytes of sound that wait to be sent to the caller."""
        return sum(len(outgoing.pcm) for outgoing in self.playing)

    def began(
        self, leg: Leg, reply: ReplyNumber, ask: TurnId, before: str, written: Written | None, now: float
    ) -> None:
        """The model begins to answer; of the same answer a lost connection gave `before`, or all of it is `written`."""
        first_part = next((outgoing.since for outgoing in self.playing if outgoing.ask == ask), None)
        since = (first_part or now) if self.streamed else None
        persona, written_as = leg.selection.persona.id, written.id if written else ""
        self.playing.begin(OutgoingReply(leg.generation, reply, ask, persona, before, written_as, since))
        self.phases.reached(ask, Phase.CREATED, now)

    def add(self, generation: Generation, event: ReplyAudio | ReplyWords | ReplySaid, now: float) -> None:
        """More of a reply has come, or this was all. It is dropped if the reply was stopped."""
        outgoing = self.playing.find(generation, event.reply)
        if outgoing is None or outgoing.ends_early:
            return
        match event:
            case ReplyAudio(_, pcm):
                if not outgoing.received:
                    self.phases.reached(outgoing.ask, Phase.FIRST_AUDIO, now)
                outgoing.add(pcm, now)
            case ReplyWords(_, text):
                outgoing.add_words(text, now)
                self.overhear("assistant", generation, outgoing.ask, text, False)
            case ReplySaid():
                outgoing.whole = outgoing.amount

    def postponed(self, generation: Generation, reply: ReplyNumber) -> None:
        """Nothing will come of this reply: its ask is asked again, later."""
        if outgoing := self.playing.find(generation, reply):
            self.playing.forget(outgoing)

    def ended(self, generation: Generation, event: ReplyEnded, now: float) -> Outcome:
        """The model is done with a reply."""
        outgoing = self.playing.find(generation, event.reply)
        if outgoing is None:
            return Outcome.STOPPED
        if outgoing.ends_early:
            return Outcome.ANSWER
        outgoing.status = event.status
        if event.status == "cancelled":
            if not outgoing.begun and outgoing.since is None:
                self.playing.forget(outgoing)
            return Outcome.CANCELLED
        if event.status == "failed" or not outgoing.received:
            if not outgoing.begun:
                self.playing.forget(outgoing)
            return self._without_sound(outgoing, event)
        if not outgoing.marks:
            outgoing.marks.append((0, event.text))
        self._tally["replies"] += 1
        self.overhear("assistant", generation, outgoing.ask, outgoing.text, True)
        self._remember(outgoing, join(outgoing.before, outgoing.text))
        if not self.streamed:
            self._show(outgoing, outgoing.text)
            self._caller.tell(AudioResponse(outgoing.id, self.playing.send(outgoing, now)))
        return Outcome.ANSWER

    def _without_sound(self, outgoing: OutgoingReply, event: ReplyEnded) -> Outcome:
        """Nothing of a reply can be heard: if it came in writing, the caller gets that at once."""
        if outgoing.before and event.status == "completed" and not event.text:
            self._tally["replies"] += 1
            return Outcome.ANSWER  # all of it had been said when its connection was lost
        if event.status == "failed" or not event.text:
            return Outcome.FAILED
        self.overhear("assistant", outgoing.generation, outgoing.ask, event.text, True)
        self._remember(outgoing, join(outgoing.before, event.text))
        self._show(outgoing, event.text)
        return Outcome.WRITTEN

    def _show(self, outgoing: OutgoingReply, words: str) -> None:
        """Show all words of a reply, unless the caller has them in writing."""
        if outgoing.written_as:
            return
        self._caller.tell(Transcript("assistant", words, outgoing.id))
        if not self.streamed:
            self._caller.tell(TextResponse(outgoing.id, words))

    def show(self, leg: Leg, ask: TurnId, words: str) -> None:
        """Tell the caller these words of the persona's without sound: no reply of the model says them."""
        number = f"{leg.generation}.0"
        self._caller.tell(Transcript("assistant", words, number))
        if not self.streamed:
            self._caller.tell(TextResponse(number, words))
        self._persona.tell(Remember(leg.selection.persona.id, ask, "assistant", words))

    def pace(self, now: float) -> float | None:
        """Release what is due of a stream; returns after how many seconds more is, None if that is not known."""
        if self.playing.due is not None and now < self.playing.due - 0.001:
            return None
        self.playing.due = None
        self.phases.hold(choked := self._caller.choked)
        if self.playing.stands or choked:
            return None  # the caller is away, or does not say what they received: it goes on when they do
        released, wait = self.playing.release(now)
        for message in released:
            self._caller.tell(message)
        if (catch_up := self._caller.catch_up(self.playing.ahead(now))) is not None:
            wait = catch_up if wait is None else min(wait, catch_up)
        self.playing.due = None if wait is None else now + wait
        return wait

    def come(self, generation: Generation) -> Coming | None:
        """The reply that this connection is making; None if nothing of it has come."""
        for outgoing in self.playing:
            if outgoing.generation == generation and not outgoing.status and outgoing.amount:
                plays = self.streamed and outgoing.received and outgoing.whole != outgoing.amount
                dry_at = self.playing.runs_dry_at(outgoing) if plays else None
                return Coming(outgoing.reply, outgoing.came_at, dry_at)
        return None

    def silent(self, now: float) -> bool:
        """True if no reply is being made, or still plays at the caller's ear."""
        return self.playing.silent(now)

    def played(self, response_id: str, ms: int, now: float) -> None:
        """The caller's player reports how far it is, in ms from the start of the reply."""
        self.playing.played(response_id, ms, now)

    def stop(self, live: Leg | None, since: float, now: float) -> list[TurnId]:
        """Something was said at `since`: what the caller knew of then falls silent, and what was heard is remembered.

        Returns the asks that count as answered, because some of a streamed answer was heard.
        """
        answered, now = list[TurnId](), self.playing.clock(now)
        for outgoing in self.playing.stop(since, now):
            self.playing.due = None
            for message in silence(outgoing, now, self.streamed or not outgoing.at_once):
                self._caller.tell(message)
            self._tally["interrupted"] += 1
            self._remember(outgoing, heard := outgoing.heard_text(now))
            self.stopped(outgoing.ask, heard, outgoing.at_once)
            self._keep(live, outgoing, outgoing.heard_ms(now))
            if not outgoing.at_once and outgoing.heard(now):
                answered.append(outgoing.ask)
        return answered

    def drop_unsent(self, live: Leg | None) -> None:
        """Drop the replies that the caller does not know of yet."""
        for outgoing in self.playing:
            if outgoing.since is None:
                self.playing.forget(outgoing)
                self._keep(live, outgoing, 0)

    def lost(self, generation: Generation, falters: bool = False) -> dict[TurnId, str]:
        """The connection is gone. Returns, for each ask that it was answering, the words that the caller gets.

        If it only `falters`, the words that they would get once all that came was released.
        """
        given = {}
        for outgoing in self.playing:
            if outgoing.generation != generation or outgoing.status:
                continue
            if self.streamed and not falters:
                outgoing.cut()
            if outgoing.received and self.streamed:
                given[outgoing.ask] = join(outgoing.before, outgoing.text_if_cut if falters else outgoing.text)
                self._remember(outgoing, given[outgoing.ask])
            elif not falters:
                self.playing.forget(outgoing)
        return {ask: words for ask, words in given.items() if words}

    def _keep(self, live: Leg | None, outgoing: OutgoingReply, heard_ms: int) -> None:
        if live and live.bridge and outgoing.generation == live.generation:
            live.bridge.tell(TruncateReply(outgoing.reply, heard_ms))

    def _remember(self, outgoing: OutgoingReply, text: str) -> None:
        self._persona.tell(Remember(outgoing.persona, outgoing.ask, "assistant", text))

    def close(self) -> None:
        """Nobody is left to hear any reply."""
        for outgoing in self.playing:
            self.playing.forget(outgoing)
