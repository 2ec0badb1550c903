"""One run: a supervisor and its callers on a stage, the simulated model behind them, and what must hold at the end."""

import asyncio
from functools import cache, partial
from random import Random
from typing import Any, cast

import orjson

from actors.messages.admission import Drain
from actors.messages.caller import Mode
from actors.runtime import Ref, Stop
from actors.services import Limits, Services
from actors.testing.scene import InHand
from actors.testing.stage import Stage
from audio import Decoded, Pool, Sender, Undecoded
from personas import SHIPPED, Catalogue, CurrentCatalogue
from supervisor import SupervisorActor
from tests.simulation.bombs import bomb, watched
from tests.simulation.caller import Caller
from tests.simulation.care import AI, FEELINGS, Owner, disclosures, signs
from tests.simulation.ear import Ear
from tests.simulation.end import check_end
from tests.simulation.fate import Fate
from tests.simulation.lines import LATEST
from tests.simulation.losses import Losses
from tests.simulation.model import Model
from tests.simulation.network import Network
from tests.simulation.places import SLOW, SlowSupervisor
from tests.simulation.story import story
from tests.simulation.world import PERSONAS, VOICES, World

FRAGILE = 0.35  # of the calls
JUMPS = (1.0, 5.0, 20.0, 45.0)  # seconds
QUIET_SECONDS = 60.0  # in which all that is owed comes: a stalled line is noticed after 30 s at most
SWITCHES = 1000  # a minute: as many as a caller makes
ENDING_SECONDS = 12.0  # a stop gives its sessions 10 s, and they their children 2 s


class Simulated(AssertionError):
    """Something was wrong in a run; the message tells the story and how to see it again."""


@cache
def catalogue() -> Catalogue:
    """The four who ship, with greetings whose words take as long as the others, and are of no language."""
    data = orjson.loads(SHIPPED.read_bytes())
    rows = [row for row in data["astrologers"] if row["astrologer_id"] in PERSONAS]
    own = {"language": "English", "max_callers": 1000}
    greeted = [{**row, **own, "greeting": PERSONAS[row["astrologer_id"]][1]} for row in rows]
    told = {"English": {"ai": AI, "feelings": FEELINGS}}
    return Catalogue.from_data({**data, "astrologers": greeted, "disclosures": told})


@cache
def fixed() -> dict[str, list[str]]:
    """By name, the words that callers must hear."""
    return disclosures(VOICES, {persona.id: persona.disclosure for persona in catalogue().active()})


class Decoders:
    """They decode at once, late, or not at all."""

    def __init__(self, world: World) -> None:
        self._world = world

    def decode(self, number: int, clip: bytes, to: Ref[Decoded | Undecoded], by: Sender = ()) -> InHand:
        in_hand, world = InHand(number, clip, to), self._world
        refused = world.chance(world.weather.fail / 2)
        late = world.random.choice([0.0, 0.05, 0.05, 2.0])
        world.undecoded |= {clip} if refused else set()
        world.after(late, in_hand.refuse if refused else in_hand.decode)
        return in_hand


class Run:
    """All of one seed."""

    def __init__(self, seed: int, fragile: float = FRAGILE) -> None:
        """So many of the calls are `fragile`: their networks are lost now and then."""
        self.world, self._share = World(seed), fragile
        self.callers: list[Caller] = []
        self.owner = Owner.draw(Random(f"caring {seed}"))
        self.fate = Fate(self.world, self.callers)
        self.model = Model(self.world, self.fate, links=self.fate.links)
        self.losses: list[Losses] = []
        self._clock = Random(f"clock {seed}")
        self._jump_in = self._clock.randint(5, 40) if self._clock.random() < 0.1 else None

    def go(self) -> int:
        """Run it; returns how many calls there were. Raises Simulated with the whole story."""
        try:
            with watched(self.world), Stage(self.world.seed) as stage:
                self._on(stage)
        except Simulated:
            raise
        except BaseException as error:
            self.world.faults.append(f"{type(error).__name__}: {error}")
            raise Simulated(story(self.world)) from error
        return len(self.callers)

    def _on(self, stage: Stage) -> None:
        random = self.world.random
        self._open(stage)
        for number in range(random.choice([1, 1, 2, 3])):
            self.world.after(random.uniform(0, 2), self._call, f"user{number}")
        self.fate.draw()
        if self.world.weather.bombs:
            self.world.after(random.uniform(1, 20), self._bomb)
        if not self.world.weather.calm and random.random() < 0.1:
            self.world.after(random.uniform(1, 20), self._drain, random.choice([0.0, 5.0, 12.0, 40.0]))
        self._pass(3.0)
        while not all(caller.finished for caller in self.callers):
            self._pass(1.0)
            self._jump()
        self.world.healed = True
        self._pass(QUIET_SECONDS)
        if any(caller.gone and caller.session and caller.session.is_alive() for caller in self.callers):
            self._pass(LATEST)  # what they said last came so late, and was a sign of life
        check_end(self.world, self.callers, self.model, self.world.draining)
        self._ask_for_bills()
        if self.waiting.bytes and not self.world.draining:
            self.world.wrong(f"{self.waiting.bytes} bytes wait, and everybody has what they were told")
        self._check()
        self._close(stage)

    def _open(self, stage: Stage) -> None:
        decoders, self.limits = cast(Pool, Decoders(self.world)), self._limits()
        current, self.world.fixed = CurrentCatalogue(catalogue()), fixed()
        own: Any = {"caring": self.owner.caring, "budgets": self.owner.budgets}
        services = Services(current, self.model, decoders, self.limits, clock=stage.clock, **own)
        places = Random(f"places {self.world.seed}")
        slow = partial(SlowSupervisor, random=places) if places.random() < SLOW else SupervisorActor
        self.stage, self.supervisor = stage, stage.launch(slow, services)
        self.waiting = services.waiting

    def _close(self, stage: Stage) -> None:
        """Nobody and nothing is left."""
        self._stop()
        self._pass(ENDING_SECONDS)
        stage.expect_terminated(self.supervisor)
        for caller in self.callers:
            caller.looks.cancel()  # also of those whom nobody answers any more
        for link in self.model.links:
            if not link.ended:
                self.world.wrong(f"{link.name} is still open")
        if self.waiting.bytes:
            self.world.wrong(f"{self.waiting.bytes} bytes wait, and nobody is there")
        for caller in self.callers:
            if not caller.bombed:
                caller.till.check()
        self._check()

    def _jump(self) -> None:
        """In one run of ten the machine stands still for a while: much is due at once, in any order."""
        if self._jump_in is None:
            return
        self._jump_in -= 1
        if self._jump_in == 0:
            seconds = self._clock.choice(JUMPS)
            self.world.note("clock", f"jumps by {seconds:.0f} s")
            self.world.seen["clock", f"jumps by {seconds:.0f} s"] += 1
            self.world.weather.calm = False
            for caller in self.callers:
                caller.patience.heard_at += seconds
                caller.till.jumps(seconds)
                if caller.network:
                    caller.network.jumps(seconds)
            self.stage.jump(seconds)

    def _ask_for_bills(self) -> None:
        """Who could not be told what their call came to is told when they come back for it."""
        for caller in self.callers:
            network, newest = caller.network, [other for other in self.callers if other.user == caller.user][-1]
            over = (
                network and network.offer and not caller.bombed and not (caller.session and caller.session.is_alive())
            )
            if network and over and caller is newest and not caller.till.bill and self.supervisor.is_alive():
                network.ask(network.new(), caller.user, network)
                self._pass(0.0)
                if not caller.till.bill:
                    self.world.wrong(f"{caller.ear.name} is over, and its bill is not known")

    def _pass(self, seconds: float) -> None:
        self.stage.advance(seconds)
        self._check()

    def _check(self) -> None:
        if self.world.faults:
            raise Simulated(story(self.world))

    def _limits(self) -> Limits:
        random = self.world.random
        if self.world.weather.calm or random.random() < 0.8:
            return Limits(switches=SWITCHES)
        idle, longest = random.choice([3.0, 8.0]), random.choice([5.0, 20.0, 3600.0])
        return Limits(idle_seconds=idle, call_seconds=longest, switches=SWITCHES)

    def _call(self, user: str) -> None:
        random, world = self.world.random, self.world
        call = len(self.callers) + 1
        kinds = ["speak", "type", "choose", "interrupt", "play", "ping", "wait"]
        habits = {kind: random.choice([0, 1, 1, 3]) for kind in kinds} | {"speak": 3, "wait": 1}
        habits |= {"hang_up": random.choice([0, 0, 1]), "change": random.choice([0, 0, 0, 1])}
        modes: list[Mode] = ["clip", "stream", "stream"]
        mode = random.choice(modes)
        ear = Ear(world, call, self.model.links)
        caller = Caller(world, call, user, self.supervisor, ear, random.randint(1, 12), mode, habits)
        ear.care.owner, ear.care.idle_seconds = self.owner, self.limits.idle_seconds
        caller.signs = signs(caller.fears)
        self._fragile(caller)
        self.callers.append(caller)
        caller.connect()
        if random.random() < 0.1 and len(self.callers) < 8:
            world.after(random.uniform(0, 6), self._call, user)

    def _fragile(self, caller: Caller) -> None:
        """Perhaps their network is lost now and then; its chance is its own, so that the rest is as without it."""
        random = Random(f"network {self.world.seed} {caller.call}")
        if random.random() < self._share:
            caller.network = Network(self.world, caller, caller.till)
            self.losses.append(Losses(self.world, random, caller.network, self.callers, self.model.links))
            self.world.after(0.0, self.losses[-1].begin)
            caller.ear.fragile = True
            caller.acts += random.randint(12, 32)
            caller.network.excused = self.limits.idle_seconds < Limits().idle_seconds or self.owner.hurries
        for other in self.callers:
            if other.user == caller.user and other.network:
                other.network.excused = True

    def _drain(self, within: float) -> None:
        self.world.note("supervisor", f"is told to drain within {within:.0f} s")
        self.world.draining = True
        self.supervisor.tell(Drain(within))
        for losses in self.losses:
            losses.drained()

    def _bomb(self) -> None:
        """Some actor crashes."""
        if not self.world.healed:
            bomb(self.world, [ref for ref in self.stage.actors() if ref is not self.supervisor], self.callers)
            self.world.after(self.world.random.uniform(1, 20), self._bomb)

    def _stop(self) -> None:
        self.world.note("supervisor", "is told to stop")
        self.world.draining = True
        for caller in self.callers:
            if caller.network:
                caller.network.excused = True
        self.supervisor.tell(Stop())


def simulate(seed: int, fragile: float = FRAGILE) -> int:
    """Run one seed, and be back without a trace of it; returns how many calls it had."""
    assert asyncio._get_running_loop() is None
    return Run(seed, fragile).go()
