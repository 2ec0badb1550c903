"""Each case with a server of its own: the callers before it, during it, and the memory after it."""

import asyncio
import os
import re
import subprocess
import sys
import urllib.request
from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import psutil

from bench.attacks.cases import CASES, Case
from bench.attacks.memory import Held, Memory, alike
from bench.attacks.neighbours import NEWCOMERS, SENDERS, WORDS, Neighbours, summary, words
from bench.callers import Call
from bench.host import ROOT, Start, ended
from bench.load import Load, Reading, at, load
from bench.marks import now, user
from bench.report import Part, Target

BEFORE_SECONDS, AFTER_SECONDS = 4.0, 30.0
SETTLE_SECONDS = 8.0  # until most have had their first turn: what they hold grows with it
A_SECOND = 25  # new callers: fewer than are let in
MOST_MB = 3000.0  # of the server; then the attack is stopped
PREPARE_SECONDS = 60.0
FRAME_US = 20_000
STRANGERS = "--limit-loopback"  # of `serve`: loopback other than 127.0.0.1 is limited by address
WORST = re.compile(r"^voice_loop_late_worst_seconds (\S+)$", re.MULTILINE)
COLUMNS = ("attack", "before", "during", "ratio", "lost", "told", "newcomers", "clips", "memory", "cost", "note")


async def run(only: Sequence[str], tree: Path, say: Callable[[str], None] = print) -> list[Part]:
    """The cases that are named, or all."""
    part = Part("attacks", columns=COLUMNS, key="attack")
    for name in only or CASES:
        try:
            row = await _case(name, CASES[name], tree)
        except (OSError, psutil.Error) as error:
            row = {"attack": name, "note": f"not measured: {str(error).strip()[-300:]}"}
        _print(row)
        part.rows.append(row)
        part.targets.append(_target(row))
        say(f"{name}: {part.targets[-1].got}")
    return [part]


def _print(row: dict[str, Any]) -> None:
    """The columns that are for people."""
    if "ratio" not in row:
        return
    came, sent, cost = row["newcomers_came"], row["clips_sent"], row.get("spent")
    loop = f", loop {row['loop_ms']}" if row["loop_ms"] is not None else ""
    row["before"] = f"p50 {row['p50_before']:.1f} p99 {row['p99_before']:.1f} ms"
    row["during"] = f"p50 {row['p50']:.1f} p99 {row['p99']:.1f}{loop} ms"
    row["newcomers"] = f"{came['served']} of {came['of']}, p99 {came['p99']:.0f} ms"
    row["clips"] = f"{sent['served']} of {sent['of']}, p99 {row['clips_before']['p99']:.0f} → {sent['p99']:.0f} ms"
    row["memory"] = f"{row['server_mb']} MB, children {row['children_mb']}, back after: {row['back_s']} s"
    row["cost"] = f"{row['mb_a_second']} MB/s, {row['connects_a_second']} connections/s" if cost else ""
    row["note"] = ", ".join(filter(None, (row["stopped"], row["invalid"])))


def _target(row: dict[str, Any]) -> Target:
    must = "p99 ≤ 2 ×, no call lost, memory back in 30 s"
    if "ratio" not in row:
        return Target(row["attack"], must, row["note"], None)
    got = f"{row['before']} → {row['during']}: {row['ratio']} ×, {row['lost']} lost, {row['server_mb']} MB"
    return Target(row["attack"], must, got, row["ratio"] <= 2 and not row["lost"] and row["back"])


async def _case(name: str, case: Case, tree: Path) -> dict[str, Any]:
    options = [*case.options, *([STRANGERS] if STRANGERS in options_of(tree) else [])]
    start = Start(options, tree, case.environment, case.handles, case.unread)
    async with load("server", start=start) as running:
        running.crowd.keep_events = True
        running.upstream.lengths = {**case.lengths, **dict.fromkeys([*NEWCOMERS, *SENDERS], WORDS)}
        for who in running.upstream.lengths:
            user(who)  # so that the model knows them
        await running.crowd.resize(case.callers, A_SECOND)
        return {"attack": name, **await _Measured(running, case).row()}


@dataclass
class _Phase:
    """What the callers felt for a while."""

    since: float
    until: float
    reading: Reading
    p50: float
    p99: float


class _Measured:
    """One case with its server."""

    def __init__(self, running: Load, case: Case) -> None:
        self._running, self._case = running, case
        self._calls = list(running.crowd.calls)
        self._neighbours = Neighbours(running.crowd, case.patience)
        self._stopped = False
        self._attackers: asyncio.subprocess.Process | None = None

    async def row(self) -> dict[str, Any]:
        """Before, during, after."""
        memory = Memory(self._running.host.process, MOST_MB, self._stop)
        async with memory.watched(), self._neighbours.meanwhile():
            try:
                await self._prepare()
                await asyncio.sleep(SETTLE_SECONDS)
                before = await self._phase(BEFORE_SECONDS)
                held = memory.samples[-1]
                await worst_ms(self._running.host.port)
                during, spent = await self._attack()
            finally:
                if self._attackers:
                    await ended(self._attackers)
            loop = await worst_ms(self._running.host.port)
            peak, after = memory.peak(during.since), await memory.back(held, AFTER_SECONDS)
        return {
            **self._felt(before, during), "loop_ms": loop, **_memory(held, peak, after, during.until), **spent,
            "invalid": during.reading.why_invalid or before.reading.why_invalid,
            "stopped": "stopped: too much memory" if self._stopped else "",
        }  # fmt: skip

    async def _prepare(self) -> None:
        case = self._case
        if not case.attack:
            return
        arguments = [case.attack, str(self._running.host.port), str(case.seconds), str(case.addresses)]
        self._attackers = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.attacks.attacker", *arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert self._attackers.stdout
        if await asyncio.wait_for(self._attackers.stdout.readline(), PREPARE_SECONDS) != b"ready\n":
            raise OSError("the attack could not be prepared")

    def _stop(self) -> None:
        self._stopped = True
        if self._attackers and self._attackers.stdin:
            self._attackers.stdin.close()

    async def _attack(self) -> tuple[_Phase, dict[str, Any]]:
        case, attackers = self._case, self._attackers
        fault: asyncio.Task[None] | None = None
        if case.fault:
            fault = asyncio.create_task(case.fault(self._running, self._neighbours))
        if attackers and attackers.stdin:
            attackers.stdin.write(b"go\n")
        try:
            during = await self._phase(case.seconds, fault)
        finally:
            if fault:
                fault.cancel()
                with suppress(asyncio.CancelledError):
                    await fault
        self._running.upstream.mute = self._running.upstream.deaf = False
        return during, await _spent(attackers)

    async def _phase(self, seconds: float, until: "asyncio.Future[None] | None" = None) -> _Phase:
        running, since = self._running, now() / 1e6
        unheard = {call: self._unheard(call) for call in self._calls}
        reading = await running.measure(seconds, until)
        samples = array("q", running.upstream.uplink)
        for call, before in unheard.items():
            if not call.done.done():  # what is still under way is late too
                samples.extend(FRAME_US * late for late in range(1, self._unheard(call) - before + 1))
        return _Phase(since, now() / 1e6, reading, at(samples, 0.5), at(samples, 0.99))

    def _unheard(self, call: Call) -> int:
        return call.sent - self._running.upstream.heard[call.who]

    def _felt(self, before: _Phase, during: _Phase) -> dict[str, Any]:
        newcomers, clips = self._neighbours.newcomers, self._neighbours.clips
        return {
            "callers": len(self._calls), "seconds": round(during.until - during.since, 1),
            "p50_before": before.p50, "p99_before": before.p99, "p50": during.p50, "p99": during.p99,
            "ratio": round(during.p99 / max(before.p99, 0.001), 2),
            "lost": sum(call.done.done() for call in self._calls), "told": told(self._calls, during.since),
            "newcomers_came": summary(newcomers, during.since, during.until),
            "clips_sent": summary(clips, during.since, during.until),
            "clips_before": summary(clips, before.since, before.until),
        }  # fmt: skip


def told(calls: Collection[Call], since: float) -> dict[str, str]:
    """What the callers were told since then that is no answer: to how many, and from when to when, in seconds."""
    times = defaultdict[str, list[float]](list)
    for call in calls:
        for when, event in call.events:
            if when >= since and words(event):
                times[words(event)].append(when - since)
    said = {word: f"{len(when)} ({min(when):.1f} to {max(when):.1f} s)" for word, when in times.items()}
    gone = sum(call.done.done() and not any(event["type"] == "close" for _, event in call.events) for call in calls)
    return {**said, **({"gone": str(gone)} if gone else {})}


def _memory(before: Held, peak: Held, after: Held, attacked_until: float) -> dict[str, Any]:
    figures = {}
    for name in ("server", "children"):
        figures[f"{name}_mb"] = " → ".join(str(round(getattr(held, name))) for held in (before, peak, after))
    back = alike(after, before)
    return {**figures, "back": back, "back_s": round(max(0.0, after.at - attacked_until), 1) if back else "not"}


async def _spent(attackers: asyncio.subprocess.Process | None) -> dict[str, Any]:
    if not attackers or not attackers.stdout:
        return {}
    if attackers.stdin:
        attackers.stdin.close()
    line = await asyncio.wait_for(attackers.stdout.readline(), 20)
    spent = orjson.loads(line or b'{"seconds":1,"sent":0,"received":0,"connections":0,"failed":0,"told":{}}')
    seconds = max(0.1, spent["seconds"])
    return {
        "mb_a_second": round(spent["sent"] / seconds / 1e6, 2),
        "connects_a_second": round(spent["connections"] / seconds, 1), "spent": spent,
    }  # fmt: skip


async def worst_ms(port: int) -> float | None:
    """How late the server's loop was since this was asked last; None when it does not answer."""
    try:
        return await asyncio.to_thread(_worst_ms, port)
    except OSError:
        return None


def _worst_ms(port: int) -> float | None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        found = WORST.search(answer.read().decode())
    return round(float(found[1]) * 1000, 1) if found else None


@cache
def options_of(tree: Path) -> frozenset[str]:
    """The options that `serve` has in this checkout."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "250", "TERMINAL_WIDTH": "250", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "supervisor", "serve", "--help"]
    shown = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=60)
    return frozenset(re.findall(r"--[a-z][a-z-]+", shown.stdout))
