"""Servers of a fleet on one stage: real supervisors and sessions, and a register that may fail."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, cast

from actors.budgets.limits import Budgets
from actors.fleet.telling import telling
from actors.messages.admission import Admitted, Connected, Detached, From
from actors.messages.caller import Chose, Close, ConfigAck, Error, FromCaller
from actors.messages.identity import Identity
from actors.services import Limits, Services
from actors.testing.probe import Probe
from actors.testing.scene import Decoders
from actors.testing.stage import Stage
from actors.testing.wire import Wires
from audio import Pool
from personas import Catalogue, CurrentCatalogue
from register import Memory
from supervisor import SupervisorActor
from tests.simulation.register import CALM, Trouble, TroubledRegister

ENDING = 3.0  # seconds in which the sessions of a node end


class Caller:
    """Somebody who has connected to a node; `session` is None until they are admitted."""

    def __init__(self, user: str, number: int) -> None:
        self.user, self.number = user, number
        self.told = Probe(user)
        self._seen: list[Any] = []

    @property
    def heard(self) -> list[Any]:
        """All that they were told."""
        self._seen += self.told.take()
        return self._seen

    @property
    def session(self) -> Any:
        """The session of their call."""
        return next((one.session for one in self.heard if isinstance(one, Admitted)), None)

    @property
    def closed(self) -> Close | None:
        """The close, once it came."""
        return next((one for one in self.heard if isinstance(one, Close)), None)

    @property
    def personas(self) -> list[str]:
        """Whom they were told to be on the line, in order."""
        return [one.astrologer_id for one in self.heard if isinstance(one, ConfigAck)]

    @property
    def errors(self) -> list[str]:
        """The codes of errors that they were told."""
        return [one.code for one in self.heard if isinstance(one, Error)]

    def says(self, message: FromCaller) -> None:
        """They say something."""
        self.session.tell(From(self.number, message))

    def hangs_up(self) -> None:
        """Their connection is gone."""
        if self.session:
            self.session.tell(Detached(self.number))


class Node:
    """A server of the fleet."""

    def __init__(self, fleet: "Nodes", name: str, **settings: Any) -> None:
        self.register = TroubledRegister(name, fleet.memory, fleet.random, fleet.trouble)
        self.wires, self.callers, self._welcomed = Wires(), list[Caller](), 0
        self.services = Services(
            fleet.current,
            self.wires,
            cast(Pool, Decoders()),
            clock=fleet.stage.clock,
            register=self.register,
            **{"limits": fleet.limits, "budgets": fleet.budgets, **settings},
        )
        self.supervisor = fleet.stage.launch(SupervisorActor, self.services)
        self._stage, self._ending = fleet.stage, asyncio.Event()
        self._telling = asyncio.get_running_loop().create_task(self._tell(), name=f"what {name} tells")

    async def _tell(self) -> None:
        async with telling(self.register, self.services.fleet_sums, self.services.spending):
            await self._ending.wait()

    def connects(self, user: str) -> Caller:
        """Somebody connects; they may not be admitted yet."""
        caller = Caller(user, len(self.callers) + 1)
        self.callers.append(caller)
        self.supervisor.tell(Connected(Identity(user), caller.number, caller.told))
        return caller

    def calls(self, user: str, persona: str) -> Caller:
        """Somebody connects, chooses, and is on the line with whoever it is."""
        caller = self.connects(user)
        self._stage.advance(1)
        caller.says(Chose(persona))
        self._stage.advance(1)
        self.welcome()
        return caller

    def welcome(self) -> None:
        """The model welcomes all who were dialled, and greets for whoever they called."""
        self._stage.settle()
        waiting, self._welcomed = self.wires.dialled[self._welcomed :], len(self.wires.dialled)
        for wire in waiting:
            if not wire.ended:
                wire.welcome()
                self._stage.settle()
                if any(event["type"] == "response.create" for event in wire.sent):
                    wire.answer("Namaste.")
        self._stage.settle()

    def end(self, within: float = 1.0) -> None:
        """All hang up, and the server ends; what it tells last is told within so many seconds."""
        for caller in self.callers:
            caller.hangs_up()
        self._stage.advance(ENDING)
        self.supervisor.stop(block=False)
        self._stage.advance(1)
        self._ending.set()
        self._stage.advance(within)
        assert self._telling.done()


class Nodes:
    """The fleet. What is spent elsewhere comes within some seconds; a question takes a few milliseconds."""

    def __init__(
        self,
        stage: Stage,
        catalogue: Catalogue,
        limits: Limits | None = None,
        budgets: Budgets | None = None,
        trouble: Trouble = CALM,
        seed: int = 0,
    ) -> None:
        self.stage, self.current, self.trouble = stage, CurrentCatalogue(catalogue), trouble
        self.limits = limits or Limits(idle_seconds=1e6, call_seconds=1e6, choose_seconds=1e6)
        self.budgets = budgets or Budgets()
        self.random = Random(seed)
        self.memory = Memory(lambda: stage.clock.wall().timestamp())
        self.nodes: list[Node] = []

    def node(self, name: str, **settings: Any) -> Node:
        """One more server; `settings` are fields of Services."""
        self.nodes.append(Node(self, name, **settings))
        return self.nodes[-1]

    def places(self, persona: str) -> set[str]:
        """The users who have a place with a persona."""
        return set(self.memory.limits.places[persona])


@contextmanager
def fleet(stage: Stage, catalogue: Catalogue, **settings: Any) -> Iterator[Nodes]:
    """A fleet whose servers end in order."""
    nodes = Nodes(stage, catalogue, **settings)
    yield nodes
    for node in nodes.nodes:
        node.end()
