"""One fault in one state of one call: what the caller does, what strikes, and what must come of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from typing import Any

from actors.caring.settings import Caring
from actors.messages.caller import ConfigAck, Error, HungUp, Interrupted, Mode, Notice, SpeechStarted
from actors.testing.stage import Stage
from engine.faults import faults
from tests.simulation.caller import Caller
from tests.simulation.care import Owner
from tests.simulation.ear import Ear
from tests.simulation.fate import NOW, Fate, Mishap
from tests.simulation.plan import Plan
from tests.simulation.run import Run
from tests.simulation.world import PERSONAS, VOICES, Answer, Weather
from upstream.models import Capabilities

TINA, MOHIT, *_ = PERSONAS
SESSION_SECONDS = 120.0  # of a connection that is to be replaced: after half of them
HERE = "here"
LONG = 50.0  # seconds; a line that is dead is noticed by then, and another has taken over


class Steady(Random):
    """No chance: everything is as slow and as long as it may be."""

    def choice(self, seq: Any) -> Any:
        return seq[-1]

    def randint(self, a: int, b: int) -> int:
        return b

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2

    def random(self) -> float:
        return 0.5


@dataclass
class Aim(Fate):
    """One connection is struck; what comes on it is known to those who look."""

    number: int = 1
    met: dict[str, Any] = field(default_factory=dict)

    def due(self, link: Any, on: str, event: Any) -> Iterable[faults.Kind]:
        if link.number == self.number:
            self.met.setdefault(on, event)
        return super().due(link, on, event)

    def where(self, link: Any) -> str:
        return HERE if link.number == self.number else ""


class Outcome(Enum):
    """What must come of it."""

    ON = "the call goes on"
    BACK = "the switch fails, and the call goes on with the persona before"
    ENDS = "the call ends with 4503"


@dataclass(frozen=True)
class State:
    """How a call gets there: `enter`, then `midst`, in which events come; after it something may happen by itself.

    `number` is the connection that is struck, at these `moments` or at all that come. `turn` is when the first turn
    is said: on the way, at once after it, or later.
    """

    enter: Callable[["Walk"], None]
    midst: Callable[["Walk"], None]
    number: int = 1
    moments: tuple[str, ...] = ()
    turn: str = "on the way"


class Walk(Run):
    """A call of one caller, with at most one mishap."""

    def __init__(self, state: State, mode: Mode, mishap: Mishap | None = None, outcome: Outcome = Outcome.ON) -> None:
        super().__init__(0)
        self.world.random, self.world.weather = Steady(), Weather(calm=mishap is None)
        self.owner = Owner(Caring(leave_out_disclosure=True))  # a walk has a greeting, and no words before it
        self.state, self.mode, self.mishap, self.outcome = state, mode, mishap, outcome
        self.fate = self.aim = Aim(self.world, self.callers, number=state.number)
        self.model.fate, self.model.links, self.model.plan = self.aim, self.aim.links, lambda world: Plan()
        self.model.can = Capabilities(session_seconds=SESSION_SECONDS)
        self.ear = Ear(self.world, 1, self.model.links)
        self.met: dict[str, Any] = {}
        """What came on the connection that is struck, from the state on until the first turn was over."""

    # What happens.

    def _on(self, stage: Stage) -> None:
        self._open(stage)
        self.caller = Caller(self.world, 1, "user0", self.supervisor, self.ear, 0, self.mode, {})
        self.callers.append(self.caller)
        self.caller.connect()
        self.until(lambda: self.caller.session)
        self._strike()
        self._go_on()
        self._leave()
        self._close(stage)

    def _strike(self) -> None:
        by_itself = self.mishap is not None and self.mishap.on == NOW
        self.state.enter(self)
        self.aim.met.clear()
        if self.mishap and not by_itself:
            self.aim.mishaps.append(self.mishap)
        self.state.midst(self)
        if self.mishap and by_itself:
            self.aim.mishaps.append(self.mishap)
            self.link.grow_old()
        if self._interrupted:
            self.caller.say(Interrupted())

    def _go_on(self) -> None:
        """The first turn, and one more when all has settled."""
        if self.state.turn == "later":
            self._pass(LONG)
        if self.state.turn != "on the way":
            self._speak()
        self._pass(LONG)
        self.met = dict(self.aim.met)
        self._speak()
        self._pass(LONG)

    def _speak(self) -> None:
        if not self.caller.gone:
            self.caller.speak()

    def _leave(self) -> None:
        if self.mishap and not self.aim.struck:
            self.world.wrong("nothing has struck")
        if not self.caller.gone:
            self._judge_turns()
        self._judge()
        self._check()
        self.caller.say(HungUp())
        self._pass(5.0)
        if not self.ear.closed or self.ear.closed.code != (4503 if self.outcome is Outcome.ENDS else 1000):
            self.world.wrong(f"closed by {self.ear.closed}")
        if self.caller.session.is_alive():
            self.world.wrong("the session is still there")
        self._check()

    # What came of it.

    def _judge(self) -> None:
        ends, back = self.outcome is Outcome.ENDS, self.told(Error, code="persona_switch_failed")
        if self.told(Error, code="upstream_refused") != ends:
            self.world.wrong(
                "the model refused us" if not ends else "the caller was not told that the model refuses us"
            )
        if back != (self.outcome is Outcome.BACK):
            self.world.wrong("the switch failed" if back else "the switch did not fail")
        if self.caller.wish == MOHIT and not ends and (self.ear.voice == VOICES[MOHIT]) == back:
            self.world.wrong(f"the voice is {self.ear.voice}")

    def _judge_turns(self) -> None:
        """Every turn was answered once, the last one whole; of any other the caller was told."""
        if self.ear.closed or self.outcome is Outcome.ENDS:
            return
        if not self.told(Error) and not self.ear.greeted() and not self._interrupted:
            self.world.wrong("the greeting was not heard whole")
        first, last = self.answers(0), self.answers(-1)
        if len(first) > 1 or not (first or self.excused()):
            self.world.wrong(f"the first turn was answered by {first}")
        if len(last) != 1 or not self.ear.heard_to_the_end(list(last[0].words), last[0].name):
            self.world.wrong(f"the last turn was answered by {last}")

    def answers(self, turn: int) -> list[Answer]:
        """The answers that were heard to this turn of the caller's, and to none after it."""
        said = self.caller.said
        words, later = set(said[turn].words), said[turn + 1 :] if turn >= 0 else []
        after = {word for each in later for word in each.words}
        last = self.ear.answers.last
        begun = (name for name in last if name in self.world.answers and (last[name].word.index or last[name].whole))
        heard = (self.world.answers[name] for name in begun)  # of less than a word nothing can go on
        return [answer for answer in heard if words <= answer.turns and not after & answer.turns]

    def excused(self) -> bool:
        """The caller knows of it, or did not want it; or it was spoken into a line that was dead and had not told."""
        until = self.caller.said[-1].at
        told = [message for at, message in self.ear.told if at <= until]
        known = any(isinstance(each, Error) or (isinstance(each, Notice) and each.code == "say_again") for each in told)
        unknown = self.mode == "stream" and any(link.dead_until > self.caller.said[0].at for link in self.model.links)
        return known or unknown or self.caller.wish == MOHIT or self._interrupted or self.world.garbled

    # Where it is.

    @property
    def _interrupted(self) -> bool:
        """The caller wanted to hear no more."""
        return self.mishap is not None and self.mishap.name == "late"

    @property
    def link(self) -> Any:
        """The connection that is struck."""
        return self.model.links[self.state.number - 1]

    def until(self, reached: Callable[[], Any]) -> None:
        """Let time pass until this is so, or something has struck."""
        for _ in range(10_000):
            if reached() or self.aim.struck:
                return
            self._pass(0.01)
        raise AssertionError("the state was not reached")

    def told(self, kind: type[Any], **fields: Any) -> bool:
        """The caller was told this."""
        every = (message for _, message in self.ear.told if isinstance(message, kind))
        return any(all(getattr(each, name) == value for name, value in fields.items()) for each in every)


# The states.


def nothing(walk: Walk) -> None:
    """It is there already."""


def choose(walk: Walk) -> None:
    walk.caller.choose(TINA, walk.mode)
    walk.until(lambda: walk.model.links)


def is_acknowledged(walk: Walk) -> None:
    choose(walk)
    walk.until(lambda: walk.told(ConfigAck))


def is_greeted(walk: Walk) -> None:
    walk.until(lambda: "response.output_audio.delta" in walk.aim.met)


def is_idle(walk: Walk) -> None:
    is_acknowledged(walk)
    walk.until(lambda: walk.ear.greeted() and walk.world.now > walk.ear.player.until + 1.0)


def speak(walk: Walk) -> None:
    is_idle(walk)
    walk.caller.speak()


def is_heard(walk: Walk) -> None:
    walk.until(lambda: walk.told(SpeechStarted) or "input_audio_buffer.committed" in walk.aim.met)


def has_spoken(walk: Walk) -> None:
    speak(walk)
    walk.aim.met.clear()
    walk.until(lambda: "input_audio_buffer.committed" in walk.aim.met)


def is_answered(walk: Walk) -> None:
    walk.until(lambda: walk.world.answers)
    walk._pass(0.2)


def is_being_answered(walk: Walk) -> None:
    has_spoken(walk)
    is_answered(walk)


def is_about_to_roll_over(walk: Walk) -> None:
    is_idle(walk)
    walk.until(lambda: walk.world.now > SESSION_SECONDS / 2 - 2.0)


def next_is_opened(walk: Walk) -> None:
    walk.until(lambda: len(walk.model.links) > 1 and walk.model.links[1].open)


def switch(walk: Walk) -> None:
    walk.caller.choose(MOHIT)
    next_is_opened(walk)


def has_switched(walk: Walk) -> None:
    has_spoken(walk)
    walk.caller.choose(MOHIT)
    walk.until(lambda: walk.told(ConfigAck, astrologer_id=MOHIT))


def hang_up(walk: Walk) -> None:
    is_being_answered(walk)
    walk.caller.say(HungUp())


OPENING = ("connect", "open", "session.created")
UPDATING = ("session.update", "session.updated")

STATES = {
    "connecting": State(nothing, choose, moments=OPENING, turn="later"),
    "updating": State(nothing, choose, moments=UPDATING, turn="later"),
    "greeting": State(is_acknowledged, is_greeted, turn="later"),
    "idle": State(is_idle, nothing, turn="at once"),
    "user speaking": State(speak, is_heard),
    "model speaking": State(has_spoken, is_answered),
    "coming (switch)": State(is_idle, switch, number=2, moments=OPENING + UPDATING, turn="later"),
    "coming (rollover)": State(
        is_about_to_roll_over, next_is_opened, number=2, moments=OPENING + UPDATING, turn="later"
    ),
    "live while coming (switch)": State(is_being_answered, switch),
    "live while coming (rollover)": State(is_about_to_roll_over, next_is_opened, turn="at once"),
    "retiring": State(has_switched, nothing),
    "closing": State(hang_up, nothing),
}
"""A call with another connection on its way has two that can be struck."""
