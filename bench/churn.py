"""Measures leaks: actors, tasks, handles, processes and memory after thousands of calls that ended in random states.

Handles, sockets and processes are counted from outside, actors and tasks by the server's /metrics, if it has them. The
first cycles are a warm-up; the slope of the memory is that of the last half.
"""

import asyncio
import random
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bench.callers import Call, Crowd
from bench.load import Load, load
from bench.report import Part, Target

AT_ONCE = 40
WARM_UP = 100
SETTLE_SECONDS = 15.0
STATES = ("dialled", "asked", "opened", "acknowledged", "greeted", "speaking", "answered", "switching")
OTHER = "mohit_vedic_marriage"
COUNTED = ("actors", "tasks", "callers")


async def run(cycles: int, kind: str = "server", say: Callable[[str], None] = print) -> list[Part]:
    """Run so many cycles, and compare before and after."""
    part = Part("churn")
    async with load(kind, words=3) as running:
        running.crowd.keep_events = True
        await _cycles(running, WARM_UP)
        before = await _settled(running)
        for done in range(0, cycles, step := max(1, cycles // 40)):
            await _cycles(running, step)
            part.rows.append({"cycles": done + step, **_held(running)})
        after = await _settled(running)
        say(f"{cycles} cycles: before {before}, after {after}")
    half = part.rows[len(part.rows) // 2 :]
    grown = (half[-1]["rss_mb"] - half[0]["rss_mb"]) if half else 0.0
    slope = grown * 1000 / max(1, half[-1]["cycles"] - half[0]["cycles"])
    left = {name: after[name] - before.get(name, 0) for name in after if name != "rss_mb"}
    part.series, part.rows = part.rows, [{"when": "before", **before}, {"when": "after", **after}]
    got = ", ".join(f"{name} {more:+}" for name, more in left.items())
    part.targets = [
        Target(f"left after {cycles} cycles", "nothing", got, not any(more > 0 for more in left.values())),
        Target("memory over the last half", "bounded: ≤ 2 % more", f"{grown:+.1f} MB, {slope:+.2f} KB a cycle",
               grown <= before["rss_mb"] * 0.02),
    ]  # fmt: skip
    return [part]


async def _cycles(running: Load, cycles: int) -> None:
    limit = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with limit:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(20):
                    await _cycle(running.crowd)

    await asyncio.gather(*(one() for _ in range(cycles)))


async def _cycle(crowd: Crowd) -> None:
    state = random.choice(STATES)
    call = await crowd.dial(silent=state == "dialled")
    try:
        await _reach(state, crowd, call)
    finally:
        match random.choice(("abort", "close", "end")):
            case "end" if call.open:
                call.say(type="end")
                await asyncio.wait([call.done], timeout=3)
            case "close":
                call.transport.close()
        call.transport.abort()
        await call.done


async def _reach(state: str, crowd: Crowd, call: Call) -> None:
    """Bring a call to one of STATES. Raises TimeoutError."""
    depth = STATES.index(state)
    if depth < STATES.index("opened"):
        await asyncio.sleep(random.random() * 0.01)
        return
    await call.until(lambda: call.open)
    if state == "opened":
        await asyncio.sleep(random.random() * 0.02)
        return
    await asyncio.wait([call.acked], timeout=5)
    if depth < STATES.index("greeted"):
        return
    call.every = 0
    crowd.join(call)
    await call.hears(turn=0)
    if state == "speaking":
        call.speak(1.0)
        await asyncio.sleep(random.random() * 0.5)
    elif state != "greeted":
        call.speak(0.2)
        await call.hears(turn=1)
    if state == "switching":
        call.say(type="config", astrologer_id=OTHER)
        await asyncio.sleep(random.random() * 0.05)


def _held(running: Load) -> dict[str, Any]:
    process = running.host.process
    return {
        "rss_mb": round(process.memory_info().rss / 1e6, 2),
        "handles": running.host.handles(),
        "sockets": len(process.net_connections("tcp")),
        "processes": running.host.children(),
        "threads": process.num_threads(),
        "upstream_lines": len(running.upstream.lines),
    }


async def _settled(running: Load) -> dict[str, Any]:
    """The counts, once they have not changed for three seconds."""
    same, last = 0, dict[str, Any]()
    for _ in range(round(SETTLE_SECONDS * 2)):
        await asyncio.sleep(0.5)
        counts = {name: count for name, count in _held(running).items() if name != "rss_mb"}
        same = same + 1 if counts == last else 0
        last = counts
        if same == 6:
            break
    metrics = await asyncio.to_thread(_metrics, running.host.metrics)
    return {**_held(running), **metrics}


def _metrics(url: str) -> dict[str, float]:
    """The counts of the server's /metrics; empty if there are none."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except (urllib.error.URLError, OSError):
        return {}
    found = {}
    for line in lines:
        name, _, value = line.rpartition(" ")
        plain = name.partition("{")[0]
        if not line.startswith("#") and any(plain.endswith(word) for word in COUNTED):
            found[name] = float(value)
    return found
