"""One phase after another: what callers who behave feel before an attack and during it; and what is left at the end."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from bench.attacks.measure import Phase, phase
from bench.attacks.memory import Held, Memory
from bench.attacks.neighbours import NEWCOMERS, SENDERS, WORDS, Neighbours, summary
from bench.load import LATEST, MOST_OTHERS, Load
from bench.marks import user
from bench.report import Part, Target
from tests.hostile import claims
from tests.hostile.claims import Prompts
from tests.hostile.crew import Crew, crew
from tests.hostile.kinds import ATTACKS
from tests.hostile.server import AdminLateness, admin_port, attacked_server, counted

WARMING = ("bombs of audio", "large frames", "floods of every message", "odd requests", "slow readers")
LOG = Path(tempfile.gettempdir(), "hostile-server.log")
MOST_MB = 3000.0
Spent: TypeAlias = dict[str, Any]
LOOK_SECONDS = 0.2
TRIES = 3
COLUMNS = (
    "attack",
    "p99 before",
    "p99 during",
    "ratio",
    "loop late",
    "new callers",
    "memory",
    "sent",
    "answers",
    "note",
)


@dataclass(frozen=True)
class Plan:
    """Seconds: of an attack to warm up, of a reading without an attack, of an attack, of a rest after it.

    `again`: for so long, in all, phases are measured again that failed. `left`: until nothing may be left.
    `yields`: attackers run when nobody else wants the machine, as times are compared.
    """

    callers: int = 20
    settle: float = 6.0
    warming: float = 2.5
    calm: float = 2.5
    attack: float = 5.0
    rest: float = 0.8
    again: float = 30.0
    left: float = 60.0
    yields: bool = True


def said(line: str) -> None:
    """Print it at once."""
    print(line, flush=True)


async def run(plan: Plan, only: list[str], say: Callable[[str], None] = said) -> Part:
    """Run the phases named, or all; the targets of what comes back are the claims. Raises OSError, TimeoutError."""
    async with attacked_server() as running:
        hour = _Hour(running, plan, say)
        idle = await hour.idle()
        async with crew(running.host.port, admin_port(running.host), yields=plan.yields) as attackers:
            await attackers.ready()
            part = await hour.through(attackers, only or list(ATTACKS))
        part.targets.append(await hour.left(idle))
        log = await asyncio.to_thread(running.host.log.read_text, errors="replace")
        part.targets += claims.log_keeps(log)
    if not all(target.met for target in part.targets):
        await asyncio.to_thread(LOG.write_text, log)
        part.notes.append(f"the log of the server is in {LOG}")
    return part


class _Hour:
    def __init__(self, running: Load, plan: Plan, say: Callable[[str], None]) -> None:
        self._running, self._plan, self._say = running, plan, say
        self._neighbours = Neighbours(running.crowd, patience=5.0)
        self._prompts = Prompts()
        self._told: Counter[str] = Counter()
        self._leaks: list[str] = []
        self._again = plan.again
        running.upstream.lengths = dict.fromkeys([*NEWCOMERS, *SENDERS], WORDS)
        for who in running.upstream.lengths:
            user(who)  # so that the model can identify them

    async def idle(self) -> dict[str, float]:
        """What there is when a first call is over."""
        call = await self._running.crowd.call(speaking=False, mode="clip")
        call.say(type="audio", audio="AAAA")
        call.say(type="end")
        await asyncio.wait([call.done], timeout=10)
        await asyncio.sleep(1)
        return await asyncio.to_thread(counted, self._running.host)

    async def through(self, attackers: Crew, names: list[str]) -> Part:
        """Warm up, then every phase."""
        running, plan = self._running, self._plan
        part = Part("hostile hour", columns=COLUMNS)
        memory = Memory(running.host.process, MOST_MB, lambda: None)
        await running.crowd.resize(plan.callers, 10)
        calls = set(running.crowd.calls)
        async with memory.watched(), self._neighbours.meanwhile():
            await asyncio.sleep(plan.settle)
            for name in WARMING if plan.warming else ():
                await attackers.attack(name, plan.warming)
            await asyncio.sleep(2 * plan.rest)
            held, processes = memory.samples[-1], running.host.children()
            for name in names:
                row = await self._measured(name, attackers, memory, calls)
                part.rows.append(row)
                self._say(f"{name}: p99 {row['p99 before']} → {row['p99 during']}, {row['ratio']} × {row['note']}")
            after = await memory.back(held, 30)
            part.targets += self._claims(part, calls, held, after, processes)
        return part

    def _claims(self, part: Part, calls: set[Any], held: Held, after: Held, processes: int) -> list[Target]:
        came = summary(self._neighbours.newcomers, 0, time.monotonic() - self._neighbours.patience)
        return [
            claims.felt(part.rows),
            claims.served(sum(call.done.done() for call in calls), came),
            claims.flat(held, after, (processes, self._running.host.children())),
            claims.secret_to_callers(self._leaks),
            claims.honest(self._told),
            self._prompts.target(),
        ]

    async def _measured(self, name: str, attackers: Crew, memory: Memory, calls: set[Any]) -> dict[str, Any]:
        """The best of some tries: what else runs on the machine makes it only worse."""
        best = await self._once(name, attackers, memory, calls)
        for _ in range(TRIES - 1):
            if best["ratio"] <= claims.RATIO or self._again <= 0:
                break
            began = time.monotonic()
            row = await self._once(name, attackers, memory, calls)
            self._again -= time.monotonic() - began
            best = min(best, row, key=lambda row: row["ratio"])
            best["note"] = f"{best['note']} measured again".strip()
        return best

    async def _once(self, name: str, attackers: Crew, memory: Memory, calls: set[Any]) -> dict[str, Any]:
        running, plan = self._running, self._plan
        before = await phase(running, calls, plan.calm)
        lateness = AdminLateness(running.host)
        await lateness.begin()
        used = attackers.cpu()
        attack = asyncio.ensure_future(attackers.attack(name, plan.attack))
        looking = asyncio.ensure_future(self._look())
        try:
            during = await phase(running, calls, plan.attack)
            used = (attackers.cpu() - used) / plan.attack
            spent = await attack
        finally:
            for task in (attack, looking):
                task.cancel()
        late = await lateness.worst_ms()
        await asyncio.sleep(plan.rest)
        self._told.update(spent["told"])
        self._leaks += spent["leaks"]
        return self._row(name, before, during, spent, memory.peak(during.since), f"{late} ms", used)

    def _row(
        self,
        name: str,
        before: Phase,
        during: Phase,
        spent: Spent,
        peak: Held,
        late: str,
        used: float,
    ) -> dict[str, Any]:
        came = summary(self._neighbours.newcomers, during.since, during.until)
        told = Counter[str](spent["told"]).most_common(4)
        seconds = spent["seconds"]
        invalid = _why_invalid(before, 0) or _why_invalid(during, used)
        return {
            "attack": name, "p99 before": f"{before.p99:.1f} ms", "p99 during": f"{during.p99:.1f} ms",
            "ratio": round(during.p99 / max(before.p99, 0.001), 2), "loop late": late,
            "new callers": f"{came['served']} of {came['of']}", "memory": f"{peak.server:.0f} + {peak.children:.0f} MB",
            "sent": f"{spent['sent'] / seconds / 1e6:.1f} MB/s, {spent['connections'] / seconds:.0f}/s",
            "answers": ", ".join(f"{what}: {count}" for what, count in told), "note": invalid, "invalid": invalid,
        }  # fmt: skip

    async def _look(self) -> None:
        """Look at what the model was told, now and then."""
        while True:
            self._prompts.look([line.model for line in self._running.upstream.lines])
            await asyncio.sleep(LOOK_SECONDS)

    async def left(self, idle: dict[str, float]) -> Target:
        """Let everybody hang up, and wait until nothing is left, or for as long as it may take."""
        await self._running.crowd.close()
        until = time.monotonic() + self._plan.left
        target = Target("", "", "", False)
        while not target.met and time.monotonic() < until:
            await asyncio.sleep(1)
            with suppress(OSError):
                target = claims.nothing_left(idle, await asyncio.to_thread(counted, self._running.host))
        return target


def _why_invalid(reading: Phase, used: float) -> str:
    """What else disturbed a reading; the attackers `used` so much of a core themselves."""
    if reading.reading.late_p99 > LATEST:
        return "the generator was late"
    return "others used the machine" if reading.reading.others_cpu - used > MOST_OTHERS else ""
