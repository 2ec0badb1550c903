"""Who said what to whom: the caller's turns in order, the persona's replies, and what was heard of them."""

from collections import Counter

from actors.base import Ref
from actors.caller import Caller
from actors.clips import Clips
from actors.line import Leg
from actors.messages import (
    AskClip,
    AskText,
    AudioResponse,
    Clear,
    Error,
    Greet,
    Hush,
    Keep,
    Notice,
    Remember,
    TextResponse,
    ToPersona,
    Transcript,
)
from actors.playback import OnAir, Playback
from actors.turns import TurnOrder, Utterance
from audio import Decoded, Packed, Undecoded
from realtime.events import AskFailed, Event, Heard, ReplyAudio, ReplyBegan, ReplyEnded, Role

MOST_WAITING = 8  # clips and typed turns of one caller that are not asked yet
MOST_ASKED = 4  # that the upstream has and has not answered; then the next one waits


class Conversation:
    """What has been said in a call and is not settled yet. Owned by a session, which says which leg is live."""

    def __init__(self, caller: Caller, persona: Ref[ToPersona], clips: Clips) -> None:
        self._caller, self._persona, self._clips = caller, persona, clips
        self._turns = TurnOrder()
        self._coming: OnAir | None = None
        self._playing = Playback()
        self._greetings: dict[int, int] = {}  # choice -> the number of its greeting
        self._greeting = 0  # the number of the greeting while it is owed, else 0
        self._begun = False  # it was asked for
        self._shown: set[int] = set()  # the turns whose words the caller has seen
        self.tally: Counter[str] = Counter()

    # The caller's turns.

    def expect(self, choice: int) -> None:
        """A persona was asked for: its greeting takes its place in the order here, before what is said to it."""
        self._greetings[choice] = self._turns.number()

    def record(self, choice: int, now: float, clip: bytes | Packed) -> None:
        """A clip has come, meant for this choice; it keeps its place while it is decoded."""
        self._clips.add(self._turns.arrive(choice, now).number, clip)

    def type(self, choice: int, now: float, text: str) -> None:
        """A typed turn has come."""
        number = self._turns.arrive(choice, now, text).number
        self._shown.add(number)
        self._caller.tell(Transcript("user", text, _user_item(number)))

    @property
    def full(self) -> bool:
        """No more of the caller's turns can wait."""
        return sum(not said.asked for said in self._turns) >= MOST_WAITING

    def decoded(self, result: Decoded | Undecoded) -> None:
        """A clip is decoded, or refused: then the caller is told, and it is as if it had never come."""
        self._clips.finished()
        match result:
            case Decoded(number, pcm):
                self._turns.change(number, content=pcm)
            case Undecoded(number, code, message):
                self._turns.forget(number)
                if not result.misunderstood:  # else the session says it, and counts
                    self._caller.tell(Error(code, message))

    def retag(self, refused: int, choice: int) -> None:
        """A choice was refused; what was said to it goes to the persona before, if there is one."""
        self._greetings.pop(refused, None)
        self._turns.retag(refused, choice)
        if not choice and self._forget([said for said in self._turns if said.choice == 0]):
            self._caller.tell(Error("no_persona", "Nobody is on the line who could answer: choose a persona first."))

    def release(self, live: Leg, now: float) -> None:
        """Ask what is ready to be asked, in order; nothing overtakes the greeting."""
        while not self._greeting and live.bridge and (said := self._turns.next(live.selection.choice)):
            if sum(other.asked for other in self._turns) >= MOST_ASKED:
                return
            self.barge_in(live, said.arrived, now)
            self._turns.change(said.number, asked=True)
            if isinstance(said.content, bytes):
                live.bridge.tell(AskClip(said.number, said.content))
            elif said.content is not None:
                live.bridge.tell(AskText(said.number, said.content))
                self._remember(live.selection.persona.id, said.number, "user", said.content)

    # The persona's replies.

    def take_over(self, live: Leg) -> None:
        """A new connection has the line: it owes the greeting of a choice, or goes on where the one before was lost."""
        if self._greeting and live.bridge:
            self._begun = True
            live.bridge.tell(Greet(self._greeting, live.selection.persona.greeting))

    def lost(self, leg: Leg) -> None:
        """The live connection is gone: what it has not answered will be asked again, on the next one."""
        self._coming = None
        for said in self._turns:
            if said.asked:
                self._turns.change(said.number, asked=False)
                self._remember(leg.selection.persona.id, said.number, "user", "")  # or the next one would know it twice

    def switch(self, live: Leg | None, choice: int, now: float) -> None:
        """Another persona is wanted: the one on the line falls silent, what was meant for it is over."""
        self.barge_in(live, now, now)
        self._coming = None
        self._greeting, self._begun = self._greetings.pop(choice), False
        self._drop([said for said in self._turns if said.choice < choice])

    def restore(self, failed: int) -> None:
        """The switch failed and the persona before goes on: what was meant for the other is over."""
        self._greeting = 0
        self._drop([said for said in self._turns if said.choice == failed])

    def interrupt(self, live: Leg | None, now: float) -> None:
        """The caller wants no answer to what was said so far; a greeting that has not begun is still given."""
        self.barge_in(live, now, now)
        self._greeting = 0 if self._begun else self._greeting
        self._forget(list(self._turns))

    def barge_in(self, live: Leg | None, since: float, now: float) -> None:
        """Something was said at `since`: stop what was playing then, and what is being answered."""
        for air in self._playing.stop(since, now):
            self._caller.tell(Clear(air.id))
            self.tally["interrupted"] += 1
            self._remember(air.persona, air.ask, "assistant", air.heard_text(now))
            if live and live.bridge and air.generation == live.generation:
                live.bridge.tell(Keep(air.reply, air.heard_ms(now)))
        if live and live.bridge and (self._greeting or any(said.asked for said in self._turns)):
            live.bridge.tell(Hush())

    def learn(self, leg: Leg, live: bool, event: Event, now: float) -> None:
        """The upstream of `leg` said something; audio and endings count only from the one that is `live`."""
        match event:
            case ReplyAudio(reply, pcm) if live and self._coming and self._coming.reply == reply:
                self._coming.pcm += pcm
            case ReplyBegan(reply, ask) if live:
                self._coming = OnAir(leg.generation, reply, ask, leg.selection.persona.id)
            case ReplyEnded() if live:
                self._reply_ended(event, now)
            case Heard(ask, text):
                self._heard(leg, ask, text)
            case AskFailed(ask, code, message) if live:
                self._failed(ask, f"{code}: {message}")
            case _:
                pass  # of a connection that is retiring

    def _reply_ended(self, ended: ReplyEnded, now: float) -> None:
        air, self._coming = self._coming, None
        if ended.status == "cancelled":
            return
        if ended.status == "failed" or not air or air.reply != ended.reply or not air.pcm:
            self._failed(ended.ask, ended.reason or "it said nothing")
            return
        self._settle(ended.ask)
        air.text = ended.text
        self._playing.send(air, now)
        self._remember(air.persona, ended.ask, "assistant", ended.text)
        self._deliver(air)

    def _deliver(self, air: OnAir) -> None:
        self.tally["replies"] += 1
        self._caller.tell(Transcript("assistant", air.text, air.id))
        self._caller.tell(TextResponse(air.id, air.text))
        self._caller.tell(AudioResponse(air.id, bytes(air.pcm)))

    def _heard(self, leg: Leg, ask: int, text: str) -> None:
        self._remember(leg.selection.persona.id, ask, "user", text)
        if text and ask not in self._shown:  # asked again after a loss, it has been shown before
            self._shown.add(ask)
            self._caller.tell(Transcript("user", text, _user_item(ask)))

    def _failed(self, ask: int, reason: str) -> None:
        self._settle(ask)
        self.tally["failed"] += 1
        self._caller.tell(Error("upstream_unavailable", f"The model could not answer ({reason}): say it again."))

    def _settle(self, ask: int) -> None:
        """An answer to `ask` answers all that was asked before it as well, and is it the greeting, then that."""
        self._greeting = 0 if ask == self._greeting else self._greeting
        for said in self._turns:
            if said.asked and said.number <= ask:
                self._turns.forget(said.number)

    def _remember(self, persona: str, ask: int, role: Role, text: str) -> None:
        self._persona.tell(Remember(persona, ask, role, text))

    def _drop(self, gone: list[Utterance]) -> None:
        if self._forget(gone):
            self._caller.tell(Notice("say_again", "What you said was for a persona who has left: say it again."))

    def _forget(self, gone: list[Utterance]) -> bool:
        """Nobody will answer these; True if there were any."""
        for said in gone:
            self._turns.forget(said.number)
            self._clips.drop(said.number)
        return bool(gone)

    def close(self) -> None:
        """Nobody is left to answer: what is being decoded is cancelled."""
        self._clips.close()


def _user_item(number: int) -> str:
    return f"user.{number}"
