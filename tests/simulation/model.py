"""The simulated upstream: the engine's strict session, at the other end of a line."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from random import Random
from typing import Any

import orjson

from actors.runtime import Ref
from engine.ear.vad import Loudness
from engine.faults.faults import Delay, Drop, Duplicate, Error, Half, Huge, Strip
from realtime.server.acts import Act, Halt, Hear, Send, Speak, Think
from realtime.server.session import Session
from tests.simulation.line import Fate, Line
from tests.simulation.mind import Speech, answer
from tests.simulation.plan import Plan
from tests.simulation.sound import WORD_MS
from tests.simulation.world import World
from upstream.facts import LinkEvent, Turn
from upstream.link import Frames
from upstream.models import Capabilities

NUMBER = re.compile(r"\d+")  # of a word of a caller
RACES = {"response_cancel_not_active", "conversation_already_has_active_response"}
"""What a strict server may refuse of ours because two things were said at once; anything else is a fault of ours."""


@dataclass(eq=False)
class Link(Line):
    """One connection to the model. `call` is whose words it heard or whose ear it spoke to: one call's, ever."""

    call: int = 0

    def __post_init__(self) -> None:
        self.session = Session("simulated", now=0, detector=Loudness)
        self.halted: set[str] = set()
        self.heard: dict[str, list[tuple[int, int]]] = {}  # word -> the milliseconds of it
        self.damaged: set[str] = set()  # responses of which something did not come as it was said
        self.says: dict[str, set[str]] = {}  # response -> the names of the answers in it
        self.updated = False
        self.dialled_at = self.world.now
        self.first = self.instructions = ""  # with which it began, and those that hold now
        self.greeted_at = 0.0  # when it told that its greeting had begun: before that nobody is listened to
        super().__post_init__()

    def connected(self) -> None:
        self._do(self.session.begin())

    def received(self, event: Any) -> None:
        if event["type"] == "conversation.item.create":
            self._seeded(event["item"])
        if event["type"] == "session.update" and (told := event["session"].get("instructions")):
            self.first, self.instructions = self.first or told, told
        self._do(self.session.receive(event))

    def fail(self, error: Any) -> None:
        self._do(self.session.fail(error))

    def divide(self) -> None:
        self.session.divide()

    def told(self, frame: str | bytes) -> None:
        try:
            event = orjson.loads(frame)
        except orjson.JSONDecodeError:
            self.world.note(f"<- {self.name}", f"{frame[:60]!r}...")
            return
        self.world.note(f"<- {self.name}", event)
        self.updated = self.updated or event.get("type") == "session.updated"
        if str(event.get("type")).startswith("response.") and not self.greeted_at:
            self.greeted_at = self.world.now

    def struck(self, kind: Any, event: Any) -> None:
        """Remember what can no longer be held against anybody."""
        if event and event.get("event_id", "").startswith("event_"):
            instead = isinstance(kind, Error) and kind.echo
            if instead or isinstance(kind, Drop | Delay | Strip | Huge | Half):
                response = event.get("response_id") or event.get("response", {}).get("id", "")
                self.damaged.add(response)
                self.world.damaged |= self.says.get(response, set())
        elif event and isinstance(kind, Drop | Duplicate | Error):
            self.world.garbled = True

    # The work of a server.

    def _seeded(self, item: Any) -> None:
        for word in item["content"][0]["text"].split():
            if item["role"] == "user":
                self.belongs_to(ord(word[0]) - ord("a") + 1)
                if not word.endswith("~"):  # of a part it is not known which
                    self._hears(word)

    def _do(self, acts: list[Act]) -> None:
        for act in acts:
            match act:
                case Send(event, _):
                    self._send(event)
                case Hear(item, pcm, _):
                    delay = self.world.random.choice([0.01, 0.1, 0.5])
                    self.world.after(delay, self._hear, item, pcm)
                case Think(response, instructions, turns):
                    delay = self.world.random.choice([0.01, 0.2, 0.6])
                    self.world.after(delay, self._think, response, instructions, turns)
                case Speak():
                    self._speak(Speech(self.world, self.number, act))
                case Halt(response):
                    self.halted.add(response)

    def _excused(self, error: Any) -> bool:
        """It is no fault of ours: a cut is beyond the end of sound that came longer than it was said."""
        stretched = self.world.damaged and error.get("param") == "audio_end_ms"
        return bool(error["code"] in RACES or self.world.garbled or stretched)

    def _send(self, event: Any) -> None:
        if event["type"] == "error" and not self._excused(event["error"]):
            self.world.wrong(f"{self.name} was refused: {event['error']}")
        self.say(event)

    def _hear(self, item: str, pcm: bytes) -> None:
        pieces = self.world.sounds.read(pcm)
        for piece in pieces:
            self.belongs_to(piece.word.source)
            self._hears(piece.word.text, piece.first, piece.end)
        self._do(self.session.heard(item, " ".join(piece.text for piece in pieces)))

    def _hears(self, word: str, first: int = 0, end: int = WORD_MS) -> None:
        """No word of the caller, and no part of one, is in one conversation twice."""
        parts = self.heard.setdefault(word, [])
        if any(first < other_end and other < end for other, other_end in parts) and not self.world.garbled:
            self.world.wrong(f"{self.name} heard {word} twice")
        parts.append((first, end))

    def _check_order(self, words: list[str]) -> None:
        """What was typed and recorded stands in the order in which it was said, and so does what was streamed."""
        for streamed in (True, False):
            whole = [word.rstrip("~") for word in words]
            numbers = [int(NUMBER.findall(word)[0]) for word in whole if (word in self.world.streamed) is streamed]
            if numbers != sorted(numbers) and not self.world.garbled:
                self.world.wrong(f"{self.name} heard out of order: {words}")

    def belongs_to(self, call: int) -> None:
        """Whatever this connection hears and says is of one call."""
        self.call = self.call or call
        if self.call != call:
            self.world.wrong(f"{self.name} is of call {self.call}, and heard or told something of call {call}")

    def _think(self, response: str, instructions: str, turns: tuple[Turn, ...]) -> None:
        if response not in self.halted and not self.ended:
            text = answer(self.world, instructions, turns)
            self._check_order([word for turn in turns if turn.role == "user" for word in turn.text.split()])
            self.world.note(self.name, f"answers {text!r} to {[(turn.role[0], turn.text) for turn in turns]}")
            self._do(self.session.thought(response, text))

    def _speak(self, speech: Speech) -> None:
        """Some more of a response, and then the next, until it is said or halted."""
        response, world = speech.response, self.world
        self.says[response] = speech.names
        world.damaged |= speech.names if response in self.damaged else set()
        if response in self.halted or self.ended:
            return
        if piece := speech.next():
            self._do(self.session.spoke(response, *piece))
            if (seconds := speech.pause()) < inf:
                world.after(seconds, self._speak, speech)
        else:
            self._do(self.session.finished(response))


@dataclass
class Model:
    """The way to the model."""

    world: World
    fate: Fate
    plan: Callable[[World], Plan] = Plan.draw
    links: list[Link] = field(default_factory=list)
    can: Capabilities = field(init=False)
    prices: None = None

    def __post_init__(self) -> None:
        """Half of all models replace a connection every few seconds, at the first silent moment."""
        seconds = Random(f"model {self.world.seed}").choice([3600.0, 3600.0, 6.0, 20.0])
        self.can = Capabilities(session_seconds=seconds)

    def dial(self, user: str, to: Ref[LinkEvent], frames: Frames) -> Any:
        number, plan = len(self.links) + 1, self.plan(self.world)
        self.links.append(Link(self.world, number, user, to, frames, plan, self.fate))
        return self.links[-1]
