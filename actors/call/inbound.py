"""The caller's side of a call: clips, typed turns and the microphone, from when they come until the model has them."""

from math import inf

from actors.call.clips import Clips
from actors.call.connection import Caller
from actors.call.line import Leg
from actors.call.recordings import Recordings
from actors.call.transcripts import Transcripts
from actors.call.turns import TurnOrder, Utterance
from actors.call.uplink import Uplink
from actors.messages.caller import Error, Mode, Notice, SpeechStopped
from actors.messages.ids import ChoiceId
from actors.messages.persona import ToPersona
from actors.runtime import Ref
from upstream.facts import TurnId

WRONG_MODE: dict[Mode, str] = {
    "clip": "This call takes recorded clips: send audio, or config with mode stream.",
    "stream": "This call is a stream: send binary frames, or config with mode clip first.",
}


class Inbound:
    """What the caller says: `turns` in their order, the `stream`, the `recordings`, and the `words` of all of them."""

    def __init__(self, caller: Caller, persona: Ref[ToPersona], clips: Clips) -> None:
        self._caller = caller
        self.turns = TurnOrder()
        self.stream = Uplink()
        self.words = Transcripts(caller, persona, self.turns)
        self.recordings = Recordings(clips, self.turns)
        self._spoke_at = -inf

    @property
    def spoke_at(self) -> float:
        """When the caller said something last: a turn, or words that the model heard. Seconds, -inf before any."""
        return max(self._spoke_at, self.recordings.came_at)

    @property
    def came(self) -> Mode | None:
        """The mode in which something came that still waits, None where nothing does."""
        if not self.stream.empty:
            return "stream"
        return "clip" if any(said.clip for said in self.turns) else None

    def quiet(self, now: float) -> bool:
        """True if the caller does not speak, every turn is answered, and no transcript is still to come."""
        return not (self.turns.waiting or self.words.missing(now) or self.stream.speaking)

    def type(self, choice: ChoiceId, now: float, text: str) -> None:
        """A typed turn has come, meant for this choice."""
        self._spoke_at = now
        self.words.typed(self.turns.arrive(choice, now, text).number, text)

    def sift(self, clips: bool, stream: bool) -> None:
        """Refuse what waits and came in a way that the call does not take: clips, or a stream."""
        if not clips and self.forget([said for said in self.turns if said.clip]):
            self._caller.tell(Error("wrong_mode", WRONG_MODE["stream"]))
        if not stream and not self.stream.empty:
            self.stream.drop()
            self._caller.tell(Error("wrong_mode", WRONG_MODE["clip"]))

    def retag(self, refused: ChoiceId, choice: ChoiceId, nobody: bool) -> None:
        """A choice was refused: what was said to it is now meant for `choice`, the one before; 0 if there is none.

        `nobody`: there is none after it either.
        """
        self.turns.retag(refused, choice)
        if nobody:
            self.stream.drop()  # or whoever is chosen next would hear it
        if not choice and self.forget([said for said in self.turns if said.choice == 0]):
            self._caller.tell(Error("no_persona", "Nobody is on the line who could answer: choose a persona first."))

    # What the model makes of it.

    def listen(self, live: Leg) -> None:
        """Let this connection hear the stream, from what it missed on."""
        if not self.stream.listen(live):
            self._caller.tell(Notice("say_again", "Some of what you said was lost on the line: say it again."))

    def began(self, number: TurnId, at_ms: int, behind: TurnId, now: float) -> None:
        """The model hears the caller speak; `behind` is the turn that it hears of only after this one, or 0."""
        self._spoke_at = now
        self.stream.began(number, at_ms)
        self.turns.change(behind, behind=number)

    def paused(self, at_ms: int, now: float) -> float:
        """The model hears that the caller has stopped. Returns how many seconds late it does."""
        self._spoke_at = now
        self._caller.tell(SpeechStopped())
        return self.stream.paused(at_ms, now)

    def committed(self, leg: Leg, number: TurnId, now: float) -> None:
        """What the caller spoke is a turn, which the model will answer."""
        self.stream.committed()
        self.turns.commit(number, leg.selection.choice, now, self.stream.blame)
        self.words.expect(number, now)

    def transcribed(self, leg: Leg, number: TurnId, text: str, final: bool, at_once: bool) -> None:
        """The model has written down some words of a turn, or all; `at_once`: the caller sees them as they come."""
        self.words.heard(leg, number, text, final, at_once)
        if not final:
            return
        self.stream.acknowledge(number)
        if (said := self.turns.get(number)) and said.content is None:
            self.turns.change(number, content=text)

    # The end of a turn.

    def drop(self, gone: list[Utterance]) -> None:
        """Forget turns that were meant for a persona who has left, and tell the caller if there were any."""
        if self.forget(gone):
            self._caller.tell(Notice("say_again", "What you said was for a persona who has left: say it again."))

    def forget(self, gone: list[Utterance]) -> bool:
        """Nobody will answer these turns; True if there were any."""
        self.recordings.forget(*gone)
        for said in gone:
            self.stream.acknowledge(said.number)
        return bool(gone)

    def close(self) -> None:
        """The call is over: what is being decoded is cancelled, and nothing is kept."""
        self.forget(list(self.turns))
        self.stream.drop()
