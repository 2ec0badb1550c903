"""Measures how many callers one core serves, for the server and for the bare relay; and the memory of each.

Callers are added in steps until the 99th percentile of the uplink (from a caller's frame to the model) exceeds 20 ms;
then the limit is found by bisection. Two calls a second begin and end meanwhile, unless `churn` is off. A step that
fails, or whose reading is invalid, is measured again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from actors.call.replay import QUIET
from bench.load import Load, Reading, churning, load
from bench.report import Part, Target
from bench.server_process import UNLIMITED, Start
from cli.memory import TRIM_SECONDS

TRIES = 3
KINDS = ("relay", "server")
MEMORY_CALLERS = (20, 120)
MOST_KB = {"ws": 100, "tls": 200, "choosing": 40}  # of memory: a streaming session, with TLS, one without a persona
STREAMED = 6.0  # seconds: a greeting of one, then a reply of two
KEPT_KB = QUIET / 1000  # of uncommitted audio, at least, that a session buffers
SHOWN = (
    "kind", "line", "calls", "callers", "cpu_ms_per_session", "up_p50", "up_p99", "up_p999", "down_p50", "down_p99",
    "underruns", "frames_per_append", "load_cpu", "late_p99", "others_cpu", "invalid",
)  # fmt: skip
ROW = ("kind", "line", "calls")


@dataclass(frozen=True)
class Plan:
    """The duration and the resolution of a run."""

    seconds: float
    step: int
    grain: int
    most: int
    half_seconds: float
    steady: bool


QUICK = Plan(seconds=3, step=100, grain=25, most=600, half_seconds=8, steady=False)
FULL = Plan(seconds=15, step=50, grain=10, most=700, half_seconds=600, steady=True)


@dataclass
class Curve:
    """The readings of one kind of server, with or without TLS and churn. `held`: the most callers that it served."""

    kind: str
    tls: bool
    churn: bool
    readings: list[Reading]
    held: int = 0
    bounded: bool = False
    """True if the server's limit was found; False if the generator, or the plan, came to its end first."""

    @property
    def labels(self) -> dict[str, Any]:
        """The first columns of its rows."""
        return dict(
            zip(ROW, (self.kind, "tls" if self.tls else "ws", "churn" if self.churn else "steady"), strict=True)
        )

    def cost(self, callers: int) -> float:
        """Milliseconds of CPU per second and session, at the level nearest to so many callers."""
        valid = [reading for reading in self.readings if not reading.why_invalid] or self.readings
        return min(valid, key=lambda reading: abs(reading.callers - callers)).cpu_ms_per_session


async def run(plan: Plan, kinds: tuple[str, ...] = KINDS, say: Callable[[str], None] = print) -> list[Part]:
    """Measure all combinations of kind, TLS and churn."""
    part, memory, half = Part("capacity", columns=SHOWN), Part("memory"), Part("half load", columns=SHOWN)
    for tls in (False, True):
        for churn in (True, False) if plan.steady else (True,):
            curves = {kind: await _curve(Curve(kind, tls, churn, []), plan, say) for kind in kinds}
            for curve in curves.values():
                part.rows += [{**curve.labels, **reading.row()} for reading in curve.readings]
                bound = "" if curve.bounded else " or more: the server's own limit was not found"
                part.notes.append(f"{' '.join(curve.labels.values())}: {curve.held} callers{bound}")
            if curves.keys() == set(KINDS):
                part.targets += _compare(curves["relay"], curves["server"])
            if churn:
                for curve in curves.values():
                    half.rows.append({**curve.labels, **(await _half(curve, plan, say)).row()})
        for kind in kinds:
            memory.rows.append(await _memory(kind, tls))
    if "server" in kinds:
        memory.rows.append(await _choosing())
    half.targets = [_prompt(row) for row in half.rows if row["kind"] == "server"]
    memory.targets = [_small(row) for row in memory.rows if row["kind"] == "server"]
    return [part, half, memory]


async def _curve(curve: Curve, plan: Plan, say: Callable[[str], None]) -> Curve:
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(load(curve.kind, curve.tls))
        if curve.churn:
            await stack.enter_async_context(churning(running.crowd))
        good, bad = 0, 0
        for callers in (10, *range(plan.step, plan.most + 1, plan.step)):
            if not await _holds(curve, running, callers, plan, say):
                bad = callers
                break
            good = callers
        while bad - good > plan.grain:
            callers = (good + bad) // 2
            if await _holds(curve, running, callers, plan, say):
                good = callers
            else:
                bad = callers
        curve.held = good
    return curve


async def _holds(curve: Curve, running: Load, callers: int, plan: Plan, say: Callable[[str], None]) -> bool:
    """True if so many callers are served. Failures and invalid readings are repeated; a sure failure sets `bounded`."""
    name = " ".join(curve.labels.values())
    try:
        await running.crowd.resize(callers)
    except OSError as error:
        say(f"{name}: {callers} callers: {error}")
        curve.bounded = True
        return False
    failures = 0
    for _ in range(TRIES):
        await asyncio.sleep(1)
        reading = await running.measure(plan.seconds)
        curve.readings.append(reading)
        say(
            f"{name}: {callers} callers, uplink p99 {reading.up_p99} ms, CPU {reading.cpu:.0%},"
            f" generator {reading.load_cpu:.0%} {reading.why_invalid}"
        )
        failures += reading.fails
        if reading.holds or failures > 1:
            break
    curve.bounded = curve.bounded if reading.holds else failures > 1
    return reading.holds


async def _half(curve: Curve, plan: Plan, say: Callable[[str], None]) -> Reading:
    async with load(curve.kind, curve.tls) as running, churning(running.crowd):
        await running.crowd.resize(max(5, curve.held // 2))
        await asyncio.sleep(2)
        reading = await running.measure(plan.half_seconds if curve.kind == "server" else min(plan.half_seconds, 60))
        say(f"{' '.join(curve.labels.values())}: half load, uplink p50 {reading.up_p50} p99 {reading.up_p99} ms")
        return reading


async def _memory(kind: str, tls: bool) -> dict[str, Any]:
    """KB per session: the slope between two numbers of callers, each of whom had a greeting and one reply.

    They stream until they had both, and then are mute: what a session keeps is still there, and what a full core makes
    wait is not counted.
    """
    async with load(kind, tls, words=10) as running:

        async def place() -> None:
            call = await running.crowd.call()
            call.every = 0
            call.speak(0.5)
            asyncio.get_running_loop().call_later(STREAMED, running.crowd.mute, call)
            await asyncio.sleep(0.1)

        slope = await _slope(running, place)
    uncommitted = KEPT_KB if kind == "server" else 0.0
    row = {"kind": kind, "line": "tls" if tls else "ws", "callers": MEMORY_CALLERS[1], "kb_per_session": slope}
    return {**row, "kept_microphone_kb": uncommitted, "kb_without_it": round(slope - uncommitted, 1)}


async def _choosing() -> dict[str, Any]:
    """KB of a caller who is connected and has chosen nobody."""
    limits = Start(options=(*UNLIMITED, "--choose-seconds", "600"))
    async with load("server", start=limits) as running:
        running.crowd.query = {"mode": "stream"}

        async def place() -> None:
            await running.crowd.dial()
            await asyncio.sleep(0.02)

        slope = await _slope(running, place)
    row = {"kind": "server", "line": "choosing", "callers": MEMORY_CALLERS[1], "kb_per_session": slope}
    return {**row, "kept_microphone_kb": 0.0, "kb_without_it": slope}


async def _slope(running: Load, place: Callable[[], Awaitable[None]]) -> float:
    """KB a caller, between MEMORY_CALLERS who were placed one after the other."""
    held = []
    for callers in MEMORY_CALLERS:
        while len(running.crowd.calls) < callers:
            await place()
        await asyncio.sleep(STREAMED + TRIM_SECONDS + 1)  # or one of the readings is of before it was trimmed
        held.append(running.host.memory())
    few, many = MEMORY_CALLERS
    return round((held[1] - held[0]) / (many - few) / 1000, 1)


def _compare(relay: Curve, server: Curve) -> list[Target]:
    line = " ".join(list(server.labels.values())[1:])
    level = _common(relay, server)
    ratio = relay.cost(level) / max(server.cost(level), 1e-9)
    more = server.held / max(relay.held, 1)
    got = f"{server.held}{'' if server.bounded else '+'} against {relay.held}: {more:.2f} ×"
    costs = f"{server.cost(level):.2f} against {relay.cost(level):.2f} ms a second: {ratio:.2f} ×"
    return [
        Target(f"callers per CPU second at {level} callers, {line}", "≥ 1.1 × the relay's", costs, ratio >= 1.1),
        Target(f"callers held, {line}", "≥ 1.1 × the relay's", got, more >= 1.1 if relay.bounded else None),
    ]


def _common(relay: Curve, server: Curve) -> int:
    """Of the levels measured, the one nearest to half the callers that the weaker of both served."""
    half = min(relay.held, server.held) / 2
    levels = {reading.callers for reading in server.readings} | {10}
    return min(levels, key=lambda level: abs(level - half))


def _prompt(row: dict[str, Any]) -> Target:
    met = row["up_p50"] <= 1 and row["up_p99"] <= 10 and row["up_p999"] <= 20
    got = f"{row['up_p50']} / {row['up_p99']} / {row['up_p999']} ms"
    what = f"added at half load, {row['callers']} callers, {row['line']}"
    return Target(what, "p50 ≤ 1, p99 ≤ 10, p99.9 ≤ 20 ms", got, met)


def _small(row: dict[str, Any]) -> Target:
    most = MOST_KB[row["line"]]
    got = row["kb_without_it"]
    return Target(
        f"memory per session without its microphone, {row['line']}",
        f"≤ {most} KB",
        f"{got} KB",
        got <= most if got > 0 else None,
    )
