"""All that one caller is told, and what must hold of it at every message."""

from dataclasses import dataclass, field
from typing import Any

from actors.messages.caller import (
    AudioResponse,
    Clear,
    Close,
    ConfigAck,
    Error,
    Notice,
    ResponseDone,
    ResponseStarted,
    Sound,
    ToCaller,
    Transcript,
)
from tests.simulation.care import CareOf
from tests.simulation.player import LEAD, Answers, Player
from tests.simulation.sound import Piece
from tests.simulation.world import GREETINGS, VOICES, World


@dataclass(eq=False)
class Ear:
    """The outbox of one call."""

    world: World
    call: int
    links: list[Any]  # of the model, by number from 1
    player: Player = field(default_factory=Player)
    answers: Answers = field(default_factory=Answers)
    told: list[tuple[float, ToCaller]] = field(default_factory=list)
    greetings: dict[str, int] = field(default_factory=dict)  # voice -> how often it may still greet
    voice: str = ""  # of the persona on the line
    switching: bool = False
    started: dict[str, str] = field(default_factory=dict)  # response -> its status, "" while it is not done
    sent_whole: set[str] = field(default_factory=set)
    generation: int = 0
    closed: Close | None = None
    mixed_until: float = 0.0  # speech and something typed came at one moment: our cancel may cross a turn, asked again
    behind: bool = False  # a whole reply came late, over a slow line: the server takes it for played sooner than it is
    fragile: bool = False  # the line of this call is lost now and then: what was cleared meanwhile never came
    care: CareOf = field(init=False)  # what they must hear

    def __post_init__(self) -> None:
        self.care = CareOf(self.world, self.name, self.player)

    @property
    def name(self) -> str:
        return f"call {self.call}"

    def hear(self, message: ToCaller) -> None:
        self.told.append((self.world.now, message))
        if self.closed:
            self._wrong(f"something was told after {self.closed}")
        match message:
            case ConfigAck():
                self.voice, self.switching = VOICES[message.astrologer_id], False
                if message.voice != self.voice:
                    self._wrong(f"the voice of {message.astrologer_id} is {self.voice}")
            case Notice(code="switching"):
                self.switching = True
            case Notice(code="reconnecting" | "say_again" | "waiting") | Error(code="upstream_unavailable") if (
                self._calm(message)
            ):
                self._wrong(f"{message}, and nothing went wrong")
            case Error(code="persona_switch_failed"):
                self.switching = False
            case ResponseStarted(response, astrologer):
                self._started(response, astrologer)
            case Sound(response, pcm):
                self._sound(response, pcm)
            case AudioResponse(response, pcm):
                self._whole(response, bytes(pcm))
            case ResponseDone(response, status):
                if self.started.get(response) != "":
                    self._wrong(f"{response} was done without being on")
                self.started[response] = status
            case Clear(response):
                self._clear(response)
            case Transcript(role, text):
                self._transcript(role, text)
            case Close():
                self.closed = message

    def _wrong(self, what: str) -> None:
        self.world.wrong(f"{self.name}: {what}")

    def _calm(self, message: Notice | Error) -> bool:
        """Nothing ever goes wrong in this run; but words for a persona who has left are."""
        kept = self.care.at is not None and self.world.now < self.care.at + 3.0  # what was dropped is asked for again
        crossed = (self.world.now < self.mixed_until or kept) and message.code in ("reconnecting", "resumed")
        return self.world.weather.calm and not crossed and "who has left" not in message.message

    # Replies.

    def _speaks(self, response: str) -> None:
        """One connection speaks at a time, that of the persona who is on the line."""
        generation = int(response.partition(".")[0])
        if generation < self.generation:
            self._wrong(f"{response} speaks after generation {self.generation}")
        self.generation = generation
        if self.switching:
            self._wrong(f"{response} speaks while somebody else is being called")

    def _started(self, response: str, astrologer: str) -> None:
        self._speaks(response)
        if VOICES[astrologer] != self.voice:
            self._wrong(f"{astrologer} begins to speak, on the line is {self.voice}")
        if response in self.started:
            self._wrong(f"{response} starts twice")
        if going := [other for other, status in self.started.items() if not status]:
            self._wrong(f"{response} starts while {going} is on")
        self.started[response] = ""

    def _sound(self, response: str, pcm: bytes) -> None:
        self._speaks(response)
        if self.started.get(response) != "" or response != next(reversed(self.started)):
            self._wrong(f"sound of {response}, which was not started last or is done")
        self.behind = self.behind and self.player.until > self.world.now
        self._play(response, pcm)
        if self.player.until - self.world.now > LEAD + 0.001 and not self.behind:
            self._wrong(f"{self.player.until - self.world.now:.3f} s are ahead of the player")

    def _whole(self, response: str, pcm: bytes) -> None:
        self._speaks(response)
        if response in self.sent_whole:
            self._wrong(f"{response} is sent twice")
        self.sent_whole.add(response)
        self._play(response, pcm)

    def _play(self, response: str, pcm: bytes) -> None:
        pieces = self.world.sounds.read(pcm)
        whole = sum(piece.end - piece.first for piece in pieces) * 48 == len(pcm) > 0
        if not whole and not self.world.damaged:
            self._wrong(f"{len(pcm)} bytes, not all of them anybody's: {pieces}")
        for piece in pieces:
            self._piece(piece, response)
        self.player.play(response, pieces, self.world.now)

    def _piece(self, piece: Piece, response: str) -> None:
        word = piece.word
        self.links[word.source - 1].belongs_to(self.call)
        if word.voice != self.voice:
            self._wrong(f"{piece} is spoken, on the line is {self.voice}")
        must_hear = word.answer in self.world.fixed
        may_greet = must_hear or (bool(self.greetings.get(word.voice)) and word.answer.startswith("greeting"))
        before = self.answers.last.get(word.answer)
        if (why := self.answers.hear(piece, may_greet)) and word.answer not in self.world.damaged:
            self._wrong(why)
        if must_hear:
            self.care.hears(piece, response in self.sent_whole)
        elif (
            may_greet
            and word.index == piece.first == 0
            and not (before and before.word.index == 0 and before.end < 200)
        ):
            self.greetings[word.voice] -= 1
        elif before is None and word.answer.startswith("greeting") and word.answer not in self.world.damaged:
            self._wrong(f"nobody asked for the greeting {piece}")

    def _clear(self, response: str) -> None:
        if response not in self.started and response not in self.sent_whole and not self.fragile:
            self._wrong(f"{response} is cleared, and never began")
        for playing in self.player.tape:
            if playing.response == response:
                self.answers.close(name := playing.piece.word.answer)
                if name in self.world.fixed:
                    self.care.cleared(response)
        self.player.clear(response, self.world.now)

    def _transcript(self, role: str, text: str) -> None:
        for word in text.split():
            if set(word) == {"A"}:
                continue  # what a fault has put in the place of words
            if role == "user" and ord(word[0]) - ord("a") + 1 != self.call:
                self._wrong(f"is shown words of another call: {word}")

    # At the end.

    def heard_to_the_end(self, words: list[str], name: str) -> bool:
        """The answer of this name reached the ear whole."""
        last = self.answers.last.get(name)
        whole = last and last.word.text == words[-1] and last.end == 200 and name not in self.answers.closed
        return name in self.world.damaged or bool(whole)

    def greeted(self) -> bool:
        return self.heard_to_the_end(GREETINGS[self.voice], f"greeting {self.voice}")
