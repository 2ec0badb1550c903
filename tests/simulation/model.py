"""The simulated upstream: the engine's strict session, behind a line that takes time and may fail."""

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson

from actors.base import Ref
from realtime.events import Frame, LinkEnded, LinkEvent
from realtime.link import Frames
from realtime.local.acts import Act, Halt, Hear, Send, Speak, Think
from realtime.local.reading import Turn
from realtime.local.session import Session
from realtime.local.vad import Loudness
from realtime.models import Capabilities
from tests.simulation.mind import Speech, answer
from tests.simulation.plan import Plan
from tests.simulation.world import World

RACES = {"response_cancel_not_active", "conversation_already_has_active_response"}
"""What a strict server may refuse of ours because two things were said at once; anything else is a fault of ours."""


@dataclass(eq=False)
class Link:
    """One connection to the model. `call` is whose words it heard or whose ear it spoke to: one call's, ever."""

    world: World
    number: int
    user: str
    to: Ref[LinkEvent]
    frames: Frames
    call: int = 0
    ended: bool = False

    def __post_init__(self) -> None:
        self.plan = Plan.draw(self.world)
        self.session = Session("simulated", now=0, detector=Loudness)
        self.halted: set[str] = set()
        self.failing: set[str] = set()
        self.heard: set[str] = set()
        self.dead_until = 0.0
        self.greeted_at = 0.0  # when it told that its greeting had begun: before that nobody is listened to
        self._open = self._stalled = self._closing = False
        self._events = 0
        self._said_last = 0.0
        self.world.note(self.name, f"dialled for {self.user}: {self.plan}")
        self.world.after(self.plan.connect, self._connected)

    @property
    def name(self) -> str:
        return f"link {self.number}"

    # What a bridge asks of it.

    def flush(self) -> None:
        if self._open:
            for frame in self.frames():
                self.world.after(self.plan.delay, self._received, frame)

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self.flush()
            self.world.after(1.0 if self._stalled else self.plan.delay, self._end, 1000, "")

    def abort(self) -> None:
        asyncio.get_running_loop().call_soon(self._end, 1006, "given up")

    # Its life.

    def _connected(self) -> None:
        if self.ended:
            return
        if self.plan.refused and not self.plan.mute:
            self._end(self.plan.refused, "refused")
            return
        self._open = True
        if self.plan.mute:
            self._stall()
        self._do(self.session.begin())
        self.flush()

    def _stall(self) -> None:
        """Nothing moves any more, until a ping goes unanswered."""
        self._stalled = True
        self.world.note(self.name, "stalls")
        self.world.after(self.world.random.uniform(20, 40), self._end, 1011, "keepalive ping timeout")

    def _end(self, code: int, reason: str) -> None:
        if not self.ended:
            self.ended, self._open = True, False
            self.dead_until = self.world.now if self._stalled else self.dead_until
            self.world.note(self.name, f"ended with {code} {reason}")
            self.to.tell(LinkEnded(code, reason))

    def _counts(self) -> bool:
        """Another event: True unless the line is gone by now."""
        self._events += 1
        if self._events == self.plan.lost_at:
            if self.plan.code == 0:
                self._stall()
            elif self.plan.code == -1:
                self._say({"type": "error", "error": {"code": "server_error", "message": "sorry"}})
            else:
                self._end(self.plan.code, "lost")
        return not (self.ended or self._stalled)

    def _received(self, frame: bytes) -> None:
        event = orjson.loads(frame)
        self.world.note(f"-> {self.name}", event)
        if not self._counts():
            return
        if event["type"] == "response.create" and self.world.chance(self.world.weather.fail):
            error = {"code": "rate_limit_exceeded", "message": "later", "event_id": event["event_id"]}
            self._say({"type": "error", "error": error})
            return
        if event["type"] == "conversation.item.create":
            self._seeded(event["item"])
        self._do(self.session.receive(event))

    def _seeded(self, item: Any) -> None:
        for word in item["content"][0]["text"].split():
            if item["role"] == "user":
                self.belongs_to(ord(word[0]) - ord("a") + 1)
                self._hears(word)

    # The work of a server.

    def _do(self, acts: list[Act]) -> None:
        for act in acts:
            match act:
                case Send(event, after):
                    self._send(event, after)
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

    def _send(self, event: Any, after: float) -> None:
        if event["type"] == "rate_limits.updated":
            return
        if event["type"] == "error" and event["error"]["code"] not in RACES:
            self.world.wrong(f"{self.name} was refused: {event['error']}")
        if event["type"] == "response.done" and event["response"]["id"] in self.failing:
            event["response"]["status"] = "failed"
        if "transcription" in event["type"] and self.world.chance(self.world.weather.late * 5):
            self.world.after(self.world.random.uniform(0, 3), self._tell, event)
        else:
            self._say(event)

    def _say(self, event: Any) -> None:
        """In order, after the time that the line takes; what is held up holds up what comes after it."""
        spike = self.world.random.uniform(0, 1.5) if self.world.chance(self.world.weather.late / 5) else 0.0
        if spike > 0.5:  # longer than what is kept of words of which nobody has told
            self.dead_until = self.world.now + spike + 1.0
        self._said_last = max(self._said_last, self.world.now + self.plan.delay + spike)
        asyncio.get_running_loop().call_at(self._said_last, self._tell, event)

    def _tell(self, event: Any) -> None:
        if self._counts():
            self.world.note(f"<- {self.name}", event)
            if event["type"] == "response.created" and not self.greeted_at:
                self.greeted_at = self.world.now
            self.to.tell(Frame(orjson.dumps(event)))

    def _hear(self, item: str, pcm: bytes) -> None:
        pieces = self.world.sounds.read(pcm)
        for piece in pieces:
            self.belongs_to(piece.word.source)
            self._hears(piece.word.text)
        self._do(self.session.heard(item, " ".join(piece.text for piece in pieces)))

    def _hears(self, word: str) -> None:
        """No word of the caller is in one conversation twice."""
        if word in self.heard:
            self.world.wrong(f"{self.name} heard {word} twice")
        self.heard.add(word)

    def _check_order(self, words: list[str]) -> None:
        """What was typed and recorded stands in the order in which it was said, and so does what was streamed."""
        for streamed in (True, False):
            whole = [word.rstrip("~") for word in words]
            numbers = [int(word[1:]) for word in whole if (word in self.world.streamed) is streamed]
            if numbers != sorted(numbers):
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
        if response in self.halted or self.ended:
            return
        if world.chance(world.weather.fail / 4):
            self.failing.add(response)
            self._do(self.session.receive({"type": "response.cancel", "response_id": response}))
        elif piece := speech.next():
            self._do(self.session.spoke(response, *piece))
            world.after(speech.pace * world.random.uniform(0.5, 1.5), self._speak, speech)
        else:
            self._do(self.session.finished(response))


@dataclass
class Model:
    """The way to the model."""

    world: World
    links: list[Link] = field(default_factory=list)
    can: Capabilities = field(init=False)
    prices: None = None

    def __post_init__(self) -> None:
        """Half of all models replace a connection every few seconds, at the first silent moment."""
        seconds = Random(f"model {self.world.seed}").choice([3600.0, 3600.0, 6.0, 20.0])
        self.can = Capabilities(session_seconds=seconds)

    def dial(self, user: str, to: Ref[LinkEvent], frames: Frames) -> Any:
        self.links.append(Link(self.world, len(self.links) + 1, user, to, frames))
        return self.links[-1]
