"""The persona's side of a call: replies as they are made, released to the caller, heard and remembered."""

from collections import Counter

from actors.call.connection import Caller
from actors.call.line import Leg
from actors.call.playout import OnAir, Playback, join, silence
from actors.messages.bridge import Keep
from actors.messages.caller import AudioResponse, TextResponse, Transcript
from actors.messages.persona import Remember, ToPersona
from actors.runtime import Ref
from upstream.facts import ReplyAudio, ReplyEnded, ReplyWords


class Replies:
    """`streamed`: a reply is released as it comes, at the pace at which it plays; else whole, once it is complete."""

    def __init__(self, caller: Caller, persona: Ref[ToPersona], tally: Counter[str]) -> None:
        self._caller, self._persona, self._tally = caller, persona, tally
        self._playing = Playback()
        self._due: float | None = None  # when more of a reply may be released
        self.streamed = False

    def set_mode(self, streamed: bool, now: float) -> None:
        """How replies go out from now on; what is being made goes out that way too."""
        self.streamed = streamed
        for air in self._playing:
            if streamed and air.since is None:
                air.since = now

    def began(self, leg: Leg, reply: int, ask: int, before: str, now: float) -> None:
        """The model begins to answer; `before` is what a lost connection gave of the same answer."""
        begun = next((air.since for air in self._playing if air.ask == ask), None)  # the first part of it plays still
        since = (begun or now) if self.streamed else None
        self._playing.begin(OnAir(leg.generation, reply, ask, leg.selection.persona.id, before, since))

    def add(self, generation: int, event: ReplyAudio | ReplyWords) -> None:
        """More of a reply has come; of one that was stopped nothing is wanted."""
        air = self._playing.find(generation, event.reply)
        if air is None:
            return
        match event:
            case ReplyAudio(_, pcm):
                air.add(pcm)
            case ReplyWords(_, text):
                air.add_words(text)

    def postponed(self, generation: int, reply: int) -> None:
        """Nothing of it will come: it is asked for again, later."""
        if air := self._playing.find(generation, reply):
            self._playing.forget(air)

    def ended(self, generation: int, event: ReplyEnded, now: float) -> bool | None:
        """The model is done with a reply: True when it is an answer, False when it failed, None when it was stopped."""
        air = self._playing.find(generation, event.reply)
        if air is None:
            return None
        air.status = event.status
        if event.status == "cancelled":
            return None
        if event.status == "failed" or not air.received:
            if not air.begun:
                self._playing.forget(air)
            return False
        if not air.marks:
            air.marks.append((0, event.text))
        self._tally["replies"] += 1
        self._remember(air, join(air.before, air.text))
        if not self.streamed:
            self._deliver(air, now)
        return True

    def _deliver(self, air: OnAir, now: float) -> None:
        self._caller.tell(Transcript("assistant", air.text, air.id))
        self._caller.tell(TextResponse(air.id, air.text))
        self._caller.tell(AudioResponse(air.id, self._playing.send(air, now)))

    def pace(self, now: float) -> float | None:
        """Release what is due of a stream; the seconds until there is more to do, if that is known."""
        if self._due is not None and now < self._due - 0.001:
            return None
        released, wait = self._playing.release(now)
        for message in released:
            self._caller.tell(message)
        self._due = None if wait is None else now + wait
        return wait

    def come(self, generation: int) -> tuple[int, int] | None:
        """What this connection is saying, and how much of it has come; None where nothing has."""
        for air in self._playing:
            if air.generation == generation and not air.status and (air.received or air.marks):
                return air.reply, air.received + len(air.marks)
        return None

    def silent(self, now: float) -> bool:
        """Nothing is being made, nor plays at the caller's ear."""
        return self._playing.silent(now)

    def played(self, response_id: str, ms: int, now: float) -> None:
        """The caller's player reports how far it is."""
        self._playing.played(response_id, ms, now)

    def stop(self, live: Leg | None, since: float, now: float) -> list[int]:
        """Something was said at `since`: what was there then falls silent, and only what was heard is remembered.

        Returns the asks that are answered all the same, because some of a stream was heard.
        """
        answered = []
        for air in self._playing.stop(since, now):
            self._due = None
            for message in silence(air, now, self.streamed):
                self._caller.tell(message)
            self._tally["interrupted"] += 1
            self._remember(air, air.heard_text(now))
            self._keep(live, air, air.heard_ms(now))
            if self.streamed and air.heard(now):
                answered.append(air.ask)
        return answered

    def drop_unsent(self, live: Leg | None) -> None:
        """What is being made and the caller does not know of yet is not wanted."""
        for air in self._playing:
            if air.since is None:
                self._playing.forget(air)
                self._keep(live, air, 0)

    def lost(self, generation: int) -> dict[int, str]:
        """The connection is gone: which asks it was answering, and the words that the caller gets of each answer."""
        given = {}
        for air in self._playing:
            if air.generation != generation or air.status:
                continue
            if self.streamed:
                air.cut()
            if air.received and self.streamed:
                given[air.ask] = join(air.before, air.text)
                self._remember(air, given[air.ask])
            else:
                self._playing.forget(air)
        return {ask: words for ask, words in given.items() if words}

    def _keep(self, live: Leg | None, air: OnAir, heard_ms: int) -> None:
        if live and live.bridge and air.generation == live.generation:
            live.bridge.tell(Keep(air.reply, heard_ms))

    def _remember(self, air: OnAir, text: str) -> None:
        self._persona.tell(Remember(air.persona, air.ask, "assistant", text))

    def close(self) -> None:
        """Nobody hears any of them any more."""
        for air in self._playing:
            self._playing.forget(air)
