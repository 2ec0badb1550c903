"""Measures what it costs that calls survive the caller's network: CPU a frame, memory a call, memory of who is away.

In rounds in turn: the server of another checkout (`--tree`, such as one from before calls were resumed), this one with
callers who do not ask for it, and with callers who do and acknowledge. Then the memory that a call takes in each way,
after a greeting and a reply; and that of calls whose callers are away, with a greeting of two seconds.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import urlopen

from bench.capacity import STREAMED, memory_slope
from bench.load import Load, load
from bench.report import Part, Target
from bench.server_process import ROOT, UNLIMITED, Start

BEFORE, PLAIN, ASKED = "before", "does not ask", "resumable"
MORE = 1.03  # times the CPU a frame
FRAMES_A_SECOND = 50
WORTH_SECONDS = 11.0  # of talk: a call that was shorter is not waited for
LIMIT = ("--address-connections", "100000")
AWAY = b"voice_calls_away "


@dataclass(frozen=True)
class Plan:
    """So many rounds, of so many seconds and callers; and how many are away at once."""

    rounds: int
    seconds: float
    callers: int
    away: int


QUICK = Plan(rounds=3, seconds=5, callers=60, away=200)
FULL = Plan(rounds=7, seconds=10, callers=100, away=1000)


async def run(plan: Plan, tree: Path = ROOT, say: Callable[[str], None] = print) -> list[Part]:
    """Measure all of it."""
    kinds = [PLAIN, ASKED] if tree == ROOT else [BEFORE, PLAIN, ASKED]
    costs: dict[str, list[float]] = {kind: [] for kind in kinds}
    doubts = 0
    for number in range(plan.rounds):
        for kind in kinds if number % 2 else reversed(kinds):
            cost, doubt = await _cost(kind, tree, plan)
            costs[kind].append(cost)
            doubts += bool(doubt)
            say(f"round {number + 1}: {kind}: {cost:.1f} µs a frame {doubt}")
    part = Part("resuming", key="kind")
    part.rows = [_row(kind, kinds[0], costs, await _memory(kind, tree)) for kind in kinds]
    part.notes = [
        f"beside: as a share of {kinds[0]}, the lowest, the median and the highest",
        f"medians of {plan.rounds} rounds in turn, {doubts} of {plan.rounds * len(kinds)} readings doubtful",
    ]
    ratio = median(_ratios(kinds[-1], kinds[0], costs))
    part.targets = [
        Target(f"CPU a frame, {kinds[-1]}, beside {kinds[0]}", f"≤ {MORE} ×", f"{ratio:.3f} ×", ratio <= MORE)
    ]
    return [part, await _away(plan.away)]


def _start(kind: str, tree: Path) -> AbstractAsyncContextManager[Load]:
    return load("server", start=Start(options=[*UNLIMITED, *LIMIT], tree=tree if kind == BEFORE else ROOT), words=10)


def _ask(running: Load, kind: str) -> None:
    running.crowd.acknowledges = kind == ASKED
    if kind == ASKED:
        running.crowd.query = {**running.crowd.query, "resumable": "true"}


async def _cost(kind: str, tree: Path, plan: Plan) -> tuple[float, str]:
    """µs of CPU for each frame that arrived at the model, and why the reading is doubtful."""
    async with _start(kind, tree) as running:
        _ask(running, kind)
        await running.crowd.resize(plan.callers)
        await running.measure(3)  # the greetings
        heard = running.upstream.heard.total()
        reading = await running.measure(plan.seconds)
        frames = (running.upstream.heard.total() - heard) / plan.seconds
        return 1e6 * reading.cpu / max(1.0, frames), reading.why_invalid


async def _memory(kind: str, tree: Path) -> float:
    """KB a call."""
    async with _start(kind, tree) as running:
        _ask(running, kind)

        async def place() -> None:
            call = await running.crowd.call()
            call.every = 0
            call.speak(0.5)
            asyncio.get_running_loop().call_later(STREAMED, running.crowd.mute, call)
            await asyncio.sleep(0.1)

        return await memory_slope(running, place)


def _ratios(kind: str, other: str, costs: dict[str, list[float]]) -> list[float]:
    return sorted(one / two for one, two in zip(costs[kind], costs[other], strict=True))


def _row(kind: str, first: str, costs: dict[str, list[float]], memory: float) -> dict[str, Any]:
    ratios = _ratios(kind, first, costs)
    least, middle, most = ratios[0], median(ratios), ratios[-1]
    return {
        "kind": kind,
        "us_a_frame": round(median(costs[kind]), 1),
        "beside": f"{least:.3f} {middle:.3f} {most:.3f}",
        "kb_a_call": memory,
    }


async def _away(callers: int) -> Part:
    """Memory while so many callers of one address are away, and afterwards."""
    part = Part("resuming, away")
    async with _start(ASKED, ROOT) as running:
        _ask(running, ASKED)
        await running.crowd.call(speaking=False)
        await asyncio.sleep(1)
        alone = running.host.memory()
        while len(running.crowd.calls) < callers:
            await running.crowd.call(speaking=False)
        await asyncio.sleep(WORTH_SECONDS)
        here = running.host.memory()
        calls = list(running.crowd.calls)
        for call in calls:
            call.transport.abort()
        await asyncio.wait([call.done for call in calls])
        most = away = 0
        for _ in range(5):
            await asyncio.sleep(1)
            count = await asyncio.to_thread(_count, running.host.metrics)
            if count >= most:
                most, away = count, running.host.memory()
        await asyncio.sleep(45)
        left = await asyncio.to_thread(_count, running.host.metrics)
        after = running.host.memory()
    each = callers - 1
    part.rows = [
        {
            "calls": callers,
            "away": most,
            "kb_a_call_here": round((here - alone) / each / 1000, 1),
            "kb_a_call_away": round((away - alone) / each / 1000, 1),
            "mb_here": round(here / 1e6),
            "mb_away": round(away / 1e6),
            "mb_after": round(after / 1e6),
            "left": left,
        }
    ]
    part.targets = [Target("callers who are away at once", str(callers), str(most), most == callers and not left)]
    return part


def _count(metrics: str) -> int:
    """How many callers are away, as the server says."""
    with urlopen(metrics, timeout=10) as answer:
        line = next(line for line in answer.read().splitlines() if line.startswith(AWAY))
    return int(float(line.split()[1]))
