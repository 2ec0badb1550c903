"""Measures one case: latencies of the callers before and during the attack, and the memory after it."""

import asyncio
from array import array
from collections import defaultdict
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.attacks.cases import Case
from bench.attacks.launcher import AttackProcess, attack_process
from bench.attacks.memory import Held, Memory, alike
from bench.attacks.neighbours import NEWCOMERS, SENDERS, WORDS, Neighbours, summary, words
from bench.attacks.server import Lateness, start
from bench.callers import Call
from bench.load import Load, Reading, at, load
from bench.marks import now, user

A_SECOND = 25  # new callers: fewer than the server accepts
TRIES = 3
MOST_MB = 3000.0  # of the server; above that, the attack is stopped
FRAME_US = 20_000


@dataclass(frozen=True)
class Pace:
    """Seconds: `settle` until most callers had a turn (which uses memory), `before` is measured, `after` the attack."""

    settle: float = 8.0
    before: float = 4.0
    after: float = 30.0


PACE = Pace()


async def measured(case: Case, tree: Path, pace: Pace = PACE) -> dict[str, Any]:
    """The figures of one case. Raises OSError if the server does not start, psutil.Error if it has died."""
    async with load("server", start=start(case, tree)) as running:
        running.crowd.keep_events = True
        running.upstream.lengths = {**case.lengths, **dict.fromkeys([*NEWCOMERS, *SENDERS], WORDS)}
        for who in running.upstream.lengths:
            user(who)  # so that the model can identify them
        await _filled(running, case.callers)
        return await _Measured(running, case, pace).row()


async def _filled(running: Load, callers: int) -> None:
    """Place the calls, with some attempts, as the machine may be busy. Raises OSError."""
    for _ in range(TRIES - 1):
        with suppress(OSError):
            return await running.crowd.resize(callers, A_SECOND)
    return await running.crowd.resize(callers, A_SECOND)


@dataclass
class Phase:
    """The latencies of the callers between two times, in seconds; p50 and p99 in ms."""

    since: float
    until: float
    reading: Reading
    p50: float
    p99: float


async def phase(
    running: Load, calls: Collection[Call], seconds: float, until: "asyncio.Future[None] | None" = None
) -> Phase:
    """Measure what these calls feel, for so many seconds or until the future is done."""
    since = now() / 1e6

    def unheard(call: Call) -> int:
        return call.sent - running.upstream.heard[call.who]

    before = {call: unheard(call) for call in calls}
    reading = await running.measure(seconds, until)
    samples = array("q", running.upstream.uplink)
    for call, missing in before.items():
        if not call.done.done():  # frames that have not arrived yet are late as well
            samples.extend(FRAME_US * late for late in range(1, unheard(call) - missing + 1))
    return Phase(since, now() / 1e6, reading, at(samples, 0.5), at(samples, 0.99))


class _Measured:
    """One case with its server."""

    def __init__(self, running: Load, case: Case, pace: Pace) -> None:
        self._running, self._case, self._pace = running, case, pace
        self._calls = list(running.crowd.calls)
        self._neighbours = Neighbours(running.crowd, case.patience)
        self._stopped = False
        self._attack: AttackProcess | None = None

    async def row(self) -> dict[str, Any]:
        """Measure before, during and after the attack."""
        memory = Memory(self._running.host.process, MOST_MB, self._stop)
        lateness = Lateness(self._running.host.metrics)
        async with memory.watched(), self._neighbours.meanwhile(), self._attack_process():
            await asyncio.sleep(self._pace.settle)
            before = await phase(self._running, self._calls, self._pace.before)
            held = memory.samples[-1]
            await lateness.begin()
            during = await self._attacked()
            spent = await self._attack.spent() if self._attack else {}
            loop = await lateness.worst_ms()
            peak, after = memory.peak(during.since), await memory.back(held, self._pace.after)
        return {
            **self._felt(before, during), "loop_ms": loop, **_memory(held, peak, after, during.until), **spent,
            "invalid": during.reading.why_invalid or before.reading.why_invalid,
            "stopped": "stopped: too much memory" if self._stopped else "",
        }  # fmt: skip

    @asynccontextmanager
    async def _attack_process(self) -> AsyncIterator[None]:
        case = self._case
        if not case.attack:
            yield
            return
        async with attack_process(case.attack, self._running.host.port, case.seconds, case.addresses) as self._attack:
            yield

    def _stop(self) -> None:
        self._stopped = True
        if self._attack:
            self._attack.stop()

    async def _attacked(self) -> Phase:
        case, upstream = self._case, self._running.upstream
        fault: asyncio.Task[None] | None = None
        if case.fault:
            fault = asyncio.create_task(case.fault(self._running, self._neighbours))
        if self._attack:
            self._attack.go()
        try:
            return await phase(self._running, self._calls, case.seconds, fault)
        finally:
            upstream.mute = upstream.deaf = False
            if fault:
                fault.cancel()
                with suppress(asyncio.CancelledError):
                    await fault

    def _felt(self, before: Phase, during: Phase) -> dict[str, Any]:
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
    """The errors, notices and closes that callers received since then: how many, and from when to when in seconds."""
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
