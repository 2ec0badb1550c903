"""A call in a fleet in which all goes wrong: nodes die, stand still and end, the line is lost, the register fails.

One caller asks numbered questions and comes back at whichever node; the model answers each. What must hold:

- in the end at most one node has the call, and it is the one whose saves are accepted;
- a question is known to the model that serves, and known once, unless the client was told that it may be missing;
- nobody pays for more time than has passed.
"""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from actors.messages.admission import Drain, From, Resume
from actors.messages.caller import Chose, Close, Receipt, Summary, Typed
from actors.messages.resuming import NotResumed, Resumed
from actors.runtime import Stop
from actors.testing.fragile import FragileLine
from actors.testing.probe import Probe
from actors.testing.stage import Stage
from actors.testing.wire import Wire
from register import Memory, Register
from tests.actors.test_places import limited
from tests.kit.fleet_stage import USER, FleetCall, FleetStage, Node
from tests.kit.four import HARSH, MOHIT, PRIYANKA, TINA
from tests.kit.streaming import begin, finish, give
from tests.simulation.register import CALM, Trouble, TroubledRegister

STORM = Trouble(late=0.03, away=0.01, forgetful=0.003, longest=2.0)
STEPS = 60
PERSONAS = (TINA, MOHIT, PRIYANKA, HARSH)
GIVEN_UP = 0.3  # of the attempts to come back have one before them that nobody waits for
MARGIN = 1.0  # seconds: for what was on its way


class Run:
    """One run, repeated by its seed."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage, self.random, self.seed = stage, Random(seed), seed
        self.fleet = FleetStage(stage, self._register(), catalogue=limited(**dict.fromkeys(PERSONAS, 50)))
        self.nodes = [self.fleet.a, self.fleet.b, self.fleet.node("c")]
        self.call = FleetCall(self.random.choice(self.nodes))
        self.questions: dict[str, float] = {}  # since this call began, and when each was asked
        self.answered: set[tuple[Wire, Any]] = set()
        self.began, self.asked = stage.now, 0
        self.stopped: list[Node] = []
        self.log: list[str] = []

    def _register(self) -> Callable[[str, Memory], Register]:
        return lambda name, memory: TroubledRegister(name, memory, self.random)

    def trouble(self, trouble: Trouble) -> None:
        """From now on the register fails so often."""
        for node in self.nodes:
            register = node.register
            assert isinstance(register, TroubledRegister)
            register.line.trouble = trouble

    @property
    def alive(self) -> list[Node]:
        """Nodes to which somebody can connect."""
        return [node for node in self.nodes if not (node.dead or node in self.stopped or node.draining)]

    def passes(self, seconds: float) -> None:
        """Time, in which models answer and the caller acknowledges."""
        until = self.stage.now + seconds
        while self.stage.now < until:
            self.stage.advance(0.25)
            for node in self.nodes:
                if not node.dead and node not in self.stopped:
                    self.serve(node)
            self.call.session.tell(From(self.call.connection, Receipt(self.call.line.received)))
        self.stage.settle()

    def serve(self, node: Node) -> None:
        """The model of a node welcomes, and answers in a second of sound."""
        for wire in node.wires.dialled:
            if wire.ended:
                continue
            if wire not in node.welcomed:
                node.welcomed.add(wire)
                wire.welcome()
            for event in wire.sent:
                if event["type"] == "response.create" and (wire, event["event_id"]) not in self.answered:
                    self.answered.add((wire, event["event_id"]))
                    name = f"r{len(self.answered)}"
                    begin(wire, name, event["response"]["metadata"])
                    give(wire, name, f"Answer {name}. ")
                    finish(wire, name)

    def serve_soon(self, node: Node) -> None:
        """The same, once the register has been asked for a place."""
        self.stage.advance(1.0)
        self.serve(node)

    # What happens.

    def step(self) -> None:
        """Something."""
        does = self.random.choices(
            [self.ask, self.wait, self.choose, self.lose, self.kill, self.stop, self.drain], [8, 4, 2, 5, 1, 1, 1]
        )[0]
        self.log.append(f"{self.stage.now:.2f} {does.__name__} at {self.call.node.name}")
        does()

    def ask(self) -> None:
        """A question, if the caller is on the line."""
        if self.call.node in self.alive and not any(isinstance(one, Close) for one in self.call.line.heard):
            self.asked += 1
            name = f"Question {self.asked} of {self.seed}?"
            self.questions[name] = self.stage.now
            self.call.says(Typed(name))
        self.passes(self.random.uniform(0.0, 4.0))

    def wait(self) -> None:
        """Nothing."""
        self.passes(self.random.uniform(0.0, 8.0))

    def choose(self) -> None:
        """Somebody who knows nothing of what was asked before; what happens next may come before they are there."""
        if self.call.node in self.alive:
            self.questions = {}
            self.call.says(Chose(self.random.choice(PERSONAS)))
        if self.random.random() < 0.5:
            self.ask()

    def lose(self) -> None:
        """The line is lost, and the caller comes back at any node."""
        if self.random.random() < 0.5 and self.call.node in self.alive:
            self.call.goes()
        self.passes(self.random.uniform(0.0, 3.0))
        self.comes_back()

    def kill(self) -> None:
        """A node dies, if others are left."""
        if len(self.alive) > 1:
            self.random.choice(self.alive).dies()
        if self.call.node not in self.alive:
            self.comes_back()

    def stop(self) -> None:
        """A node stands still, and goes on later."""
        if len(self.alive) > 1:
            node = self.random.choice(self.alive)
            node.stops()
            self.stopped.append(node)
            self.comes_back()
            self.passes(self.random.uniform(0.0, 10.0))
            self.stopped.remove(node)
            node.goes_on()
            self.passes(1.0)

    def drain(self) -> None:
        """A node ends, if others are left."""
        if len(self.alive) > 1:
            node = self.random.choice(self.alive)
            node.draining = True
            node.supervisor.tell(Drain(20.0))
            self.passes(2.0)
            self.comes_back()

    def comes_back(self) -> None:
        """Until the call goes on somewhere, or another one begins."""
        asked_at = self.stage.now
        if self.random.random() < GIVEN_UP:
            self.gives_up()
        told = self.call.tries(self.random.choice(self.alive), within=4.0)
        if isinstance(told, Resumed):
            if told.moved and told.moved.lost_ms:
                lost_since = asked_at - told.moved.lost_ms / 1000 - MARGIN
                self.questions = {name: at for name, at in self.questions.items() if at < lost_since}
            return
        assert isinstance(told, NotResumed)
        self.log.append(f"{self.stage.now:.2f} not resumed: {told.code}")
        self.questions, self.began = {}, self.stage.now
        self.call = FleetCall(self.random.choice(self.alive), connection=self.call.connection)
        self.call.connects(serve=self.serve_soon)

    def gives_up(self) -> None:
        """They ask a node for the call, and are gone before they are told: over the next line they ask anew."""
        call, line = self.call, FragileLine("given up", dead=True)
        call.connection += 1
        assert call.offer
        where = (call.offer.token, call.attach, call.line.received)
        node = self.random.choice(self.alive)
        self.log.append(f"{self.stage.now:.2f} an attempt at {node.name} is given up")
        node.supervisor.tell(Resume(call.user, call.connection, line, Probe("verdict"), *where))
        self.passes(self.random.choice([0.0, 0.0, 0.25, 0.5]))

    # What must hold.

    def check(self) -> None:
        """In the end, when all is calm."""
        self.trouble(CALM)
        self.passes(8.0)
        if any(isinstance(one, Close) for one in self.call.line.heard) or self.call.node not in self.alive:
            self.comes_back()
        self.passes(8.0)
        having = [node.name for node in self.alive if node.has()]
        assert having == [self.call.node.name], self.log
        known = self.fleet.memory.calls.get(USER)
        assert known
        assert known.node == self.call.node.name, self.log
        texts = [text for role, text in self._serving().texts() if role == "user"]
        for name in self.questions:
            count = sum(text.count(name) for text in texts)
            assert count == 1 or (not count and len(texts) >= 10), (name, texts, self.log)
        self.call.node.supervisor.tell(Stop())
        self.passes(1.0)
        bill = [one for one in self.call.line.heard if isinstance(one, Summary)][-1].bill
        assert bill.seconds <= self.stage.now - self.began + 1, (bill.seconds, self.log)

    def _serving(self) -> Wire:
        wires = [wire for wire in self.call.node.wires.dialled if not wire.ended]
        return wires[-1]


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in range(2, 40))])
def test_a_call_in_trouble(stage: Stage, seed: int) -> None:
    """Sixty things happen to it."""
    run = Run(stage, seed)
    run.call.connects(serve=run.serve_soon)
    run.trouble(STORM)
    for _ in range(STEPS):
        run.step()
    run.check()
    run.fleet.end()
