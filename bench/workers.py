"""Measures what a call costs behind HAProxy: `python -m bench workers`.

A server by itself, and one of two workers with its HAProxy, run at the same time; the second has twice as many callers,
because a worker that has fewer wakes as often for less. Both are measured over the same seconds, so that what others do
to the machine is done to both. All their processes share one core, and the generator has another. CPU is that of the
workers, of HAProxy, and of the process that keeps them; decoders do nothing here.

A round in which half of the frames came late to the model (`LIMIT` of bench/load.py) does not count: a server that gets
no time takes many frames at once, which costs less.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median
from typing import Any

import psutil

from bench.load import LIMIT, Load, load
from bench.report import Part, Target
from bench.server_process import UNLIMITED, Start

ROLES = ("worker", "haproxy", "parent")
WORKERS = (1, 2)
WARM_SECONDS = 5.0
FIGURES = ("up_p50", "up_p99", "load_cpu", "late_p99")


@dataclass(frozen=True)
class Plan:
    """How many callers of each worker, in how many rounds, of how many seconds."""

    callers: int
    rounds: int
    seconds: float


QUICK, FULL = Plan(20, 6, 8.0), Plan(60, 10, 20.0)


async def run(plan: Plan, say: Callable[[str], None] = print) -> list[Part]:
    """Measure both, in each round over the same seconds."""
    part = Part("workers")
    async with AsyncExitStack() as stack:
        running: dict[int, Load] = {}
        for workers in WORKERS:
            start = Start(options=(*UNLIMITED, "--workers", str(workers)))
            running[workers] = await stack.enter_async_context(load("server", start=start))
            await running[workers].crowd.resize(plan.callers * workers, a_second=10)
        await asyncio.sleep(WARM_SECONDS)
        for number in range(plan.rounds):
            rows = await asyncio.gather(*(_measure(workers, running[workers], plan) for workers in WORKERS))
            part.rows += [{"round": number, **row} for row in rows]
            say(f"workers: {rows}")
    part.targets.append(_compare(part.rows))
    return [part]


async def _measure(workers: int, running: Load, plan: Plan) -> dict[str, Any]:
    before = _cpu(running.host.process)
    reading = await running.measure(plan.seconds)
    after = _cpu(running.host.process)
    calls = plan.callers * workers
    used = {role: (after[role] - before[role]) / plan.seconds / calls * 1000 for role in ROLES}
    if workers == 1:  # the process that was started is the server
        used = {"worker": used["parent"], "haproxy": 0.0, "parent": 0.0}
    shown = {f"{role}_ms": round(used[role], 3) for role in ROLES} | {"total_ms": round(sum(used.values()), 3)}
    return {"workers": workers, "callers": calls, **shown, **{name: getattr(reading, name) for name in FIGURES}}


def _cpu(server: psutil.Process) -> dict[str, float]:
    """CPU seconds until now, by role."""
    found = {**dict.fromkeys(ROLES, 0.0), "parent": _seconds(server)}
    for child in server.children():
        words = child.cmdline()
        if words[-1:] == ["serve"]:
            found["worker"] += _seconds(child)
        elif "-db" in words:
            found["haproxy"] += _seconds(child)
    return found


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _compare(rows: list[dict[str, Any]]) -> Target:
    """The median of the ratios of the rounds that count."""
    pairs = [pair for pair in zip(rows[::2], rows[1::2], strict=True) if max(row["up_p50"] for row in pair) <= LIMIT]
    what, must = "CPU of a call at 2 workers", "≤ 1.1 × that at 1"
    if not pairs:
        return Target(what, must, "no round counts", None)
    whole = median(two["total_ms"] / one["total_ms"] for one, two in pairs)
    alone = median(two["worker_ms"] / one["worker_ms"] for one, two in pairs)
    got = f"{whole:.2f} ×, of the workers alone {alone:.2f} × ({len(pairs)} rounds of {len(rows) // 2})"
    return Target(what, must, got, whole <= 1.1)
