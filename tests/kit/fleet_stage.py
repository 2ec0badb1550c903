"""Two servers of a fleet on one stage: real supervisors, sessions and registrars, which share a register in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from pykka import ActorRegistry

from actors.messages.admission import Admitted, Connected, Detached, From, Resume
from actors.messages.caller import Chose, ConfigAck, FromCaller, Mode, Receipt, ResponseDone
from actors.messages.identity import Identity
from actors.messages.resuming import NotResumed, Resumed, ResumeOffer
from actors.runtime import Hired, LoopRef, Stop
from actors.services import Limits, Services
from actors.testing.fragile import FragileLine
from actors.testing.probe import Probe
from actors.testing.scene import Decoders
from actors.testing.stage import Stage
from actors.testing.wire import Wire, Wires
from audio import Pool
from personas import Catalogue, CurrentCatalogue
from register import Memory, MemoryRegister, Register
from supervisor import SupervisorActor, SupervisorInbox, SupervisorSnapshot
from tests.kit.four import FOUR, TINA
from tests.kit.insides import shown
from tests.kit.streaming import asked, begin, finish, give

USER = "somebody"
TALK = 10.0


class Node:
    """One server, and the connections to the model that it makes."""

    def __init__(self, stage: Stage, register: Register, catalogue: Catalogue = FOUR, **services: Any) -> None:
        self.stage, self.register, self.wires = stage, register, Wires()
        self.name = register.node
        limits: Any = {"idle_seconds": 1e6, "call_seconds": 1e6}
        limits |= {name: services.pop(name) for name in list(services) if name in Limits.__slots__}
        self.services = Services(
            CurrentCatalogue(catalogue),
            self.wires,
            cast(Pool, Decoders()),
            Limits(**limits),
            clock=stage.clock,
            register=register,
            node=self.name,
            **services,
        )
        self.supervisor: Hired[SupervisorInbox] = stage.launch(SupervisorActor, self.services)
        self.dead = self.draining = False
        self.welcomed: set[Wire] = set()

    def session(self, user: str = USER) -> Any:
        """That of the newest call of this user."""
        return shown(self.supervisor, SupervisorSnapshot).newest[user]

    def has(self, user: str = USER) -> bool:
        """True if this user has a call here."""
        return user in shown(self.supervisor, SupervisorSnapshot).newest

    def wire(self) -> Wire:
        """The newest connection to the model."""
        self.stage.settle()
        return self.wires.dialled[-1]

    def stops(self) -> None:
        """As by SIGSTOP: nobody of it takes a turn until it `goes_on`."""
        self.stage.settle()
        self._stopped = [(ref.actor_inbox, ref.actor_inbox.turn) for ref in self.actors()]
        for mailbox, _ in self._stopped:
            mailbox.turn = None

    def goes_on(self) -> None:
        """What has come meanwhile is handled now."""
        for mailbox, turn in self._stopped:
            mailbox.turn, mailbox.asked = turn, False
            if mailbox:
                mailbox.ask()

    def dies(self) -> None:
        """As by kill -9: nobody is told."""
        self.stops()
        self.dead = True
        for ref in self.actors():
            ActorRegistry.unregister(ref)
        supervisor = cast(Any, self._stopped[0][1]).__self__
        supervisor._fleet.close()
        for _, turn in self._stopped:
            for alarm, _ in cast(Any, turn).__self__._alarms.values():
                alarm.cancel()

    def actors(self) -> list[LoopRef[Any]]:
        """All of its actors."""
        found, waiting = list[LoopRef[Any]](), [cast(LoopRef[Any], self.supervisor)]
        while waiting:
            found.append(waiting.pop())
            waiting += found[-1].snapshot().children
        return found


def greet(wire: Wire) -> None:
    """The model greets."""
    wire.welcome()
    begin(wire, "greeting", asked(wire))
    give(wire, "greeting", "Namaste.")
    finish(wire, "greeting")


@dataclass
class FleetCall:
    """A caller who may come back, at any node; `line` is their newest connection."""

    node: Node
    user: str = USER
    mode: Mode = "stream"
    line: FragileLine = field(default_factory=FragileLine)
    connection: int = 0
    attach: int = 0
    session: Any = None
    offer: ResumeOffer | None = None
    asked: FragileLine = field(default_factory=FragileLine)
    """The connection over which they asked last."""
    identity: Identity | None = None
    """What their token says; by default nothing but the user."""
    persona: str = TINA

    def connects(
        self, *, resumable: bool = True, greeted: bool = True, serve: Callable[[Node], None] | None = None
    ) -> None:
        """A new call, which is greeted; the model speaks through `serve`, by default as a test does it."""
        self.connection += 1
        identity = self.identity or Identity(self.user)
        self.node.supervisor.tell(Connected(identity, self.connection, self.line, self.mode))
        self.node.stage.advance(1.0)  # the register is asked
        self.session = self.line.fish_for(Admitted).session
        self.says(Chose(self.persona, self.mode, resumable=resumable))
        if serve:
            serve(self.node)
        elif greeted:
            greet(self.node.wire())
        else:
            self.node.wire().welcome()
        self.offer = self.line.fish_for(ConfigAck).resume
        if not greeted:
            return
        if serve:
            serve(self.node)
        self.node.stage.advance(TALK)
        if self.mode == "stream":
            self.line.fish_for(ResponseDone)
        self.acknowledge()
        self.line.take()

    def says(self, message: FromCaller) -> None:
        """Over the newest connection."""
        self.session.tell(From(self.connection, message))
        self.node.stage.settle()

    def acknowledge(self) -> None:
        """The caller says what they received."""
        self.says(Receipt(self.line.received))

    def goes(self) -> None:
        """The connection is lost, and the server knows."""
        self.session.tell(Detached(self.connection))
        self.node.stage.settle()

    def tries(self, node: Node, token: str = "", within: float = 1.0) -> Resumed | NotResumed:
        """The caller asks this node for the call; returns what they are told within so many seconds."""
        line, verdict = FragileLine("caller, back"), Probe("verdict")
        self.asked = line
        self.connection += 1
        assert self.offer
        where = (token or self.offer.token, self.attach, self.line.received)
        node.supervisor.tell(Resume(self.user, self.connection, line, verdict, *where))
        node.stage.advance(within)
        told = verdict.take()[-1]
        if isinstance(told, NotResumed):
            return told
        self.line, self.node, self.session = line, node, told.session
        resumed = line.fish_for(Resumed)
        self.attach = resumed.attach
        return resumed


class FleetStage:
    """Nodes a and b, whose register is in a memory that lives in virtual time."""

    def __init__(
        self, stage: Stage, register: Callable[[str, Memory], Register] = MemoryRegister, **services: Any
    ) -> None:
        self.stage = stage
        self.memory = Memory(lambda: stage.clock.wall().timestamp())
        self._register, self._services = register, services
        self.nodes: list[Node] = []
        self.a, self.b = self.node("a"), self.node("b")

    def node(self, name: str) -> Node:
        """One more."""
        self.nodes.append(Node(self.stage, self._register(name, self.memory), **dict(self._services)))
        return self.nodes[-1]

    def call(self, mode: Mode = "stream", user: str = USER) -> FleetCall:
        """A call at node a."""
        call = FleetCall(self.a, user, mode)
        call.connects()
        return call

    def end(self) -> None:
        """All of it ends."""
        for node in self.nodes:
            if not node.dead:
                node.supervisor.tell(Stop())
        self.stage.advance(15.0)
        for node in self.nodes:
            if not node.dead:
                self.stage.expect_terminated(node.supervisor)
