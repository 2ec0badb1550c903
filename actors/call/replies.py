"""The persona's side of a call: replies as they are made, released to the caller, heard and remembered."""

from collections import Counter

from actors.call.connection import Caller
from actors.call.line import Leg
from actors.call.playout import OutgoingReply, Playout, join, silence
from actors.messages.bridge import TruncateReply
from actors.messages.caller import AudioResponse, TextResponse, Transcript
from actors.messages.ids import Generation
from actors.messages.persona import Remember, ToPersona
from actors.runtime import Ref
from upstream.facts import ReplyAudio, ReplyEnded, ReplyNumber, ReplyWords, TurnId


class Replies:
    """`streamed`: a reply is released as it comes, at the pace at which it plays; else whole, once it is complete."""

    def __init__(self, caller: Caller, persona: Ref[ToPersona], tally: Counter[str]) -> None:
        self._caller, self._persona, self._tally = caller, persona, tally
        self._playing = Playout()
        self._due: float | None = None  # when more of a reply may be released
        self.streamed = False

    def set_mode(self, streamed: bool, now: float) -> None:
        """How replies go out from now on; what is being made goes out that way too."""
        self.streamed = streamed
        for outgoing in self._playing:
            if streamed and outgoing.since is None:
                outgoing.since = now

    def began(self, leg: Leg, reply: ReplyNumber, ask: TurnId, before: str, now: float) -> None:
        """The model begins to answer; `before` is what a lost connection gave of the same answer."""
        begun = next(
            (outgoing.since for outgoing in self._playing if outgoing.ask == ask), None
        )  # the first part of it plays still
        since = (begun or now) if self.streamed else None
        self._playing.begin(OutgoingReply(leg.generation, reply, ask, leg.selection.persona.id, before, since))

    def add(self, generation: Generation, event: ReplyAudio | ReplyWords) -> None:
        """More of a reply has come; of one that was stopped nothing is wanted."""
        outgoing = self._playing.find(generation, event.reply)
        if outgoing is None:
            return
        match event:
            case ReplyAudio(_, pcm):
                outgoing.add(pcm)
            case ReplyWords(_, text):
                outgoing.add_words(text)

    def postponed(self, generation: Generation, reply: ReplyNumber) -> None:
        """Nothing of it will come: it is asked for again, later."""
        if outgoing := self._playing.find(generation, reply):
            self._playing.forget(outgoing)

    def ended(self, generation: Generation, event: ReplyEnded, now: float) -> bool | None:
        """The model is done with a reply: True when it is an answer, False when it failed, None when it was stopped."""
        outgoing = self._playing.find(generation, event.reply)
        if outgoing is None:
            return None
        outgoing.status = event.status
        if event.status == "cancelled":
            return None
        if event.status == "failed" or not outgoing.received:
            if not outgoing.begun:
                self._playing.forget(outgoing)
            return False
        if not outgoing.marks:
            outgoing.marks.append((0, event.text))
        self._tally["replies"] += 1
        self._remember(outgoing, join(outgoing.before, outgoing.text))
        if not self.streamed:
            self._deliver(outgoing, now)
        return True

    def _deliver(self, outgoing: OutgoingReply, now: float) -> None:
        self._caller.tell(Transcript("assistant", outgoing.text, outgoing.id))
        self._caller.tell(TextResponse(outgoing.id, outgoing.text))
        self._caller.tell(AudioResponse(outgoing.id, self._playing.send(outgoing, now)))

    def pace(self, now: float) -> float | None:
        """Release what is due of a stream; the seconds until there is more to do, if that is known."""
        if self._due is not None and now < self._due - 0.001:
            return None
        released, wait = self._playing.release(now)
        for message in released:
            self._caller.tell(message)
        self._due = None if wait is None else now + wait
        return wait

    def come(self, generation: Generation) -> tuple[ReplyNumber, int] | None:
        """What this connection is saying, and how much of it has come; None where nothing has."""
        for outgoing in self._playing:
            if outgoing.generation == generation and not outgoing.status and (outgoing.received or outgoing.marks):
                return outgoing.reply, outgoing.received + len(outgoing.marks)
        return None

    def silent(self, now: float) -> bool:
        """Nothing is being made, nor plays at the caller's ear."""
        return self._playing.silent(now)

    def played(self, response_id: str, ms: int, now: float) -> None:
        """The caller's player reports how far it is."""
        self._playing.played(response_id, ms, now)

    def stop(self, live: Leg | None, since: float, now: float) -> list[TurnId]:
        """Something was said at `since`: what was there then falls silent, and only what was heard is remembered.

        Returns the asks that are answered all the same, because some of a stream was heard.
        """
        answered = []
        for outgoing in self._playing.stop(since, now):
            self._due = None
            for message in silence(outgoing, now, self.streamed):
                self._caller.tell(message)
            self._tally["interrupted"] += 1
            self._remember(outgoing, outgoing.heard_text(now))
            self._keep(live, outgoing, outgoing.heard_ms(now))
            if self.streamed and outgoing.heard(now):
                answered.append(outgoing.ask)
        return answered

    def drop_unsent(self, live: Leg | None) -> None:
        """What is being made and the caller does not know of yet is not wanted."""
        for outgoing in self._playing:
            if outgoing.since is None:
                self._playing.forget(outgoing)
                self._keep(live, outgoing, 0)

    def lost(self, generation: Generation) -> dict[TurnId, str]:
        """The connection is gone: which asks it was answering, and the words that the caller gets of each answer."""
        given = {}
        for outgoing in self._playing:
            if outgoing.generation != generation or outgoing.status:
                continue
            if self.streamed:
                outgoing.cut()
            if outgoing.received and self.streamed:
                given[outgoing.ask] = join(outgoing.before, outgoing.text)
                self._remember(outgoing, given[outgoing.ask])
            else:
                self._playing.forget(outgoing)
        return {ask: words for ask, words in given.items() if words}

    def _keep(self, live: Leg | None, outgoing: OutgoingReply, heard_ms: int) -> None:
        if live and live.bridge and outgoing.generation == live.generation:
            live.bridge.tell(TruncateReply(outgoing.reply, heard_ms))

    def _remember(self, outgoing: OutgoingReply, text: str) -> None:
        self._persona.tell(Remember(outgoing.persona, outgoing.ask, "assistant", text))

    def close(self) -> None:
        """Nobody hears any of them any more."""
        for outgoing in self._playing:
            self._playing.forget(outgoing)
