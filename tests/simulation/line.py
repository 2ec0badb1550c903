"""The line to the simulated model: what is said arrives later and in order, or it does not: faults are carried out."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf
from typing import Any, Protocol

import orjson

from actors.runtime import Ref
from engine.faults.faults import Abort, Accept, Close, Deliver, Divide, Fail, Kind, Refuse, Stall, Step, Wait
from tests.simulation.plan import Plan, Script
from tests.simulation.world import World
from upstream.facts import Frame, LinkBegan, LinkEnded, LinkEvent
from upstream.link import MAX_FRAME, OPEN_SECONDS, REFUSING_STATUS, Frames

HANGS = 0.4  # so many of the lines that stall answer pings


class Fate(Protocol):
    """Who says what goes wrong, besides what was planned."""

    def due(self, link: Any, on: str, event: Any, /) -> Iterable[Kind]: ...


@dataclass(eq=False)
class Line:
    """One connection, as a bridge knows it; what is said there is for whoever serves it."""

    world: World
    number: int
    user: str
    to: Ref[LinkEvent]
    frames: Frames
    plan: Plan
    fate: Fate

    def __post_init__(self) -> None:
        self.script = Script(self.plan.faults)
        self.ended = self.open = self.stalled = self.closing = False
        self.dead_until = 0.0  # of what was said into it before that, not all could be kept
        self._said_last = 0.0
        self.world.note(self.name, f"dialled for {self.user}: {self.plan}")
        self.to.tell(LinkBegan())
        self._shake_hands()

    @property
    def name(self) -> str:
        return f"link {self.number}"

    # What a bridge asks of it.

    def flush(self) -> None:
        while self.open and (frames := self.frames()):
            for frame in frames:
                self.world.after(self.plan.delay, self._arrived, orjson.loads(frame))

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            self.flush()
            self.world.after(1.0 if self.stalled else self.plan.delay, self.end, 1000, "")

    def abort(self) -> None:
        asyncio.get_running_loop().call_soon(self.end, 1006, "given up")

    # Who serves it.

    def connected(self) -> None:
        """The handshake is over."""

    def received(self, event: Any) -> None:
        """The bridge has said this."""

    def fail(self, error: Any) -> None:
        """The response under way is to fail."""

    def divide(self) -> None:
        """The next response is to be two items."""

    def told(self, frame: str | bytes) -> None:
        """What arrives at the bridge now."""

    def struck(self, step: Any, event: Any) -> None:
        """What goes wrong, at this event if there is one."""

    # Its life.

    def _shake_hands(self) -> None:
        seconds = self.plan.connect
        self._meet("connect")
        for step in self.script.connecting():
            match step:
                case Wait(longer):
                    seconds += longer
                case Refuse(status):
                    code = 3000 if status in REFUSING_STATUS else 1006
                    self.world.after(seconds, self.end, code, f"the handshake was answered with {status}")
                    return
                case Abort():
                    self.world.after(seconds, self.end, 1006, "the handshake was cut")
                    return
                case _:
                    seconds = OPEN_SECONDS
        if seconds < OPEN_SECONDS:
            self.world.after(seconds, self._connected)
        else:
            self.world.after(OPEN_SECONDS, self.end, 1006, "the handshake took too long")

    def _connected(self) -> None:
        if self.ended:
            return
        self.open = True
        for age in self.script.ages:
            self.world.after(age, self._age, age)
        self._meet("open")
        self.obey(self.script.opened())
        self.connected()
        self.flush()

    def _age(self, age: float) -> None:
        if not self.ended and not self.world.healed:
            self.obey(self.script.aged(age))

    def grow_old(self) -> None:
        """Nothing is said, and something may happen all the same."""
        self._meet("now", at=self.world.now)
        self._age(self.world.now)

    def _meet(self, on: str, event: Any = None, at: float | None = None) -> None:
        for kind in self.fate.due(self, on, event):
            self.struck(kind, event)
            self.script.add(kind, on if at is None else at)

    def end(self, code: int, reason: str) -> None:
        """It is gone."""
        if not self.ended:
            self.ended, self.open = True, False
            self.dead_until = self.world.now if self.stalled else self.dead_until
            self.world.note(self.name, f"ended with {code} {reason}")
            self.to.tell(LinkEnded(code, reason))

    def _stall(self) -> None:
        """Nothing moves any more, until a ping goes unanswered; or pings are answered, and nothing else ever."""
        self.stalled = True
        if self.world.random.random() < HANGS:
            self.world.note(self.name, "hangs")
            self.dead_until = inf
        else:
            self.world.note(self.name, "stalls")
            self.world.after(self.world.random.uniform(20, 40), self.end, 1011, "keepalive ping timeout")

    # What is said on it.

    def _arrived(self, event: Any) -> None:
        """From the bridge."""
        if self.ended or self.stalled:
            return
        self.world.note(f"-> {self.name}", event)
        if self.world.healed:
            self.received(event)
        else:
            self._meet(event["type"], event)
            self.obey(self.script.received(event))

    def say(self, event: Any) -> None:
        """To the bridge."""
        if self.world.healed:
            self.obey([Deliver(orjson.dumps(event).decode())])
        else:
            self._meet(event["type"], event)
            self.obey(self.script.sending(event))

    def obey(self, steps: Iterable[Step]) -> None:
        """As the engine's own line does, but in virtual time."""
        for step in steps:
            match step:
                case Deliver(frame, after) if after:
                    self.world.after(after, self.obey, [Deliver(frame)])
                case Deliver(frame):
                    self._in_turn(self._deliver, frame)
                case Accept(event):
                    self.received(event)
                case Fail():
                    asyncio.get_running_loop().call_soon(self.fail, step.error)
                case Divide():
                    self.divide()
                case Wait(seconds):
                    self._hold(seconds)
                case Close(code, reason):
                    self._in_turn(self.end, code, reason)
                case Abort():
                    self._in_turn(self.end, 1006, "cut")
                case Stall():
                    self._in_turn(self._stall)
                case _:
                    raise AssertionError(f"not for a line that is open: {step}")

    def _in_turn(self, do: Callable[..., None], *args: Any) -> None:
        """After the time that the line takes; what is held up holds up what comes after it."""
        if self.world.chance(self.world.weather.late / 5):
            self._hold(self.world.random.uniform(0, 1.5))
        self._said_last = max(self._said_last, self.world.now + self.plan.delay)
        asyncio.get_running_loop().call_at(self._said_last, do, *args)

    def _hold(self, seconds: float) -> None:
        self._said_last = max(self._said_last, self.world.now) + seconds
        if seconds > 0.5:  # longer than what is kept of words of which nobody has told
            self.dead_until = self._said_last + 1.0

    def _deliver(self, frame: str | bytes) -> None:
        if self.ended or self.stalled:
            return
        if len(frame) > MAX_FRAME:
            self.end(1006, "a frame too large")
            return
        self.told(frame)
        self.to.tell(Frame(frame.encode() if isinstance(frame, str) else frame))
