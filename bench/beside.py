"""Measures callers per CPU second beside others: two relays and, with `peers`, servers of other frameworks.

Each round starts every kind once, one after the other, with as many callers; so what the machine does to one it does to
all, and a ratio is that of one round. A kind that cannot serve so many callers in real time has a number of its own. A
caller counts by the frames of 20 ms that arrived at the model, so that what is late is not cheap.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.load import Reading, load
from bench.report import Part, Target
from bench.server_process import PEERS, RELAYS

KINDS = (*RELAYS, "server")
FRAMES_A_SECOND = 50
FEWER = {"pipecat": 50}
"""Callers of a kind whose core is full with as many as the others have."""
YARDSTICK, LIMIT = RELAYS  # bench/relay.py, and the limit of the stack
GOALS = {YARDSTICK: 1.1, LIMIT: 0.7}


@dataclass(frozen=True)
class Plan:
    """So many rounds, of so many seconds and callers."""

    rounds: int
    seconds: float
    callers: int = 100


@dataclass(frozen=True)
class Measured:
    """A reading, and how many callers were heard: frames that arrived, by those that a caller sends."""

    reading: Reading
    heard: float

    @property
    def per_cpu_second(self) -> float:
        """Callers who are served with a second of CPU."""
        return self.heard / max(self.reading.cpu, 1e-9)


QUICK = Plan(rounds=3, seconds=5)
FULL = Plan(rounds=7, seconds=15)


async def run(plan: Plan, peers: bool, say: Callable[[str], None] = print) -> list[Part]:
    """Measure all kinds in each round. Raises OSError if a peer is not installed."""
    kinds = (*KINDS, *PEERS) if peers else KINDS
    measured: dict[str, list[Measured]] = {kind: [] for kind in kinds}
    for number in range(plan.rounds):
        for kind in kinds if number % 2 else reversed(kinds):
            got = await _measured(kind, FEWER.get(kind, plan.callers), plan.seconds)
            measured[kind].append(got)
            say(f"round {number + 1}: {kind}, {got.per_cpu_second:.0f} callers a CPU second {got.reading.why_invalid}")
    part = Part("beside", key="kind")
    part.rows = [_row(kind, measured) for kind in kinds]
    part.targets = [_target(other, least, measured) for other, least in GOALS.items()]
    part.notes = [
        f"medians of {plan.rounds} rounds in turn; the last columns are the lowest, the median and the highest"
    ]
    return [part]


async def _measured(kind: str, callers: int, seconds: float) -> Measured:
    async with load(kind) as running:
        await running.crowd.resize(callers)
        await running.measure(3)  # the greetings
        heard = running.upstream.heard.total()
        reading = await running.measure(seconds)
        return Measured(reading, (running.upstream.heard.total() - heard) / seconds / FRAMES_A_SECOND)


def _ratios(kind: str, other: str, measured: dict[str, list[Measured]]) -> list[float]:
    """How many callers a kind serves with a CPU second, as a share of the other's in the same round; sorted."""
    pairs = zip(measured[kind], measured[other], strict=True)
    return sorted(one.per_cpu_second / two.per_cpu_second for one, two in pairs)


def _row(kind: str, measured: dict[str, list[Measured]]) -> dict[str, Any]:
    of = measured[kind]
    ratios = _ratios(kind, YARDSTICK, measured)
    return {
        "kind": kind,
        "callers": of[0].reading.callers,
        "heard": round(median(each.heard for each in of), 1),
        "callers_per_cpu_second": round(median(each.per_cpu_second for each in of)),
        "up_p50": median(each.reading.up_p50 for each in of),
        "up_p99": median(each.reading.up_p99 for each in of),
        "beside_the_relay": " ".join(f"{each:.2f}" for each in (ratios[0], median(ratios), ratios[-1])),
        "invalid": sum(bool(each.reading.why_invalid) for each in of),
    }


def _target(other: str, least: float, measured: dict[str, list[Measured]]) -> Target:
    ratio = median(_ratios("server", other, measured))
    return Target(f"callers per CPU second beside the {other}", f"≥ {least} ×", f"{ratio:.2f} ×", ratio >= least)
