"""A server under load: callers and a model in this process, on the last core; the server alone on the first.

Each reading includes what could invalidate it: the generator's share of its core, the lateness of its timer wheel, and
the CPU that other processes (or a hypervisor) used. If one of these is too high, the reading is marked invalid. The
generator's lateness can only increase latencies. So a reading within a limit is valid nevertheless, and so is one that
exceeds the limit by more than the generator was late.
"""

import asyncio
import gc
import random
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.callers import Call, Crowd
from bench.server_process import ServerProcess, Start, certificate, server_process
from bench.upstream import Upstream

MOST_LOAD = 0.9  # of the generator's core
MOST_OTHERS = 0.1  # of a core, used by neither the server nor the generator
LATEST = 5.0  # ms: p99 of the wheel's lateness
LIMIT = 20.0  # ms: the p99 of the uplink up to which callers count as served
CHURN_SECONDS = 0.5


def at(samples: Sequence[int], share: float) -> float:
    """A percentile (`share` 0 to 1) in ms of samples in µs; 0 if there are none."""
    ordered = sorted(samples)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1000, 3) if ordered else 0.0


@dataclass(frozen=True)
class Reading:
    """The result of one measurement. Latencies in ms, CPU in shares of a core."""

    callers: int
    cpu: float
    cpu_ms_per_session: float
    up_p50: float
    up_p99: float
    up_p999: float
    down_p50: float
    down_p99: float
    underruns: int
    frames_per_append: float
    lost: int
    load_cpu: float
    late_p99: float
    others_cpu: float

    @property
    def why_invalid(self) -> str:
        """Why this reading is not valid; empty if it is."""
        faults = {
            "the generator's core was full": self.load_cpu > MOST_LOAD,
            "the generator was late": self.late_p99 > LATEST and self.up_p99 - self.late_p99 <= LIMIT,
            "others used the machine": self.others_cpu > MOST_OTHERS,
        }
        return ", ".join(why for why, true in faults.items() if true)

    @property
    def holds(self) -> bool:
        """True if so many callers are served within LIMIT."""
        return self.up_p99 <= LIMIT

    @property
    def fails(self) -> bool:
        """True if they are not, and the reading is valid."""
        return not self.holds and not self.why_invalid

    def row(self) -> dict[str, Any]:
        """The row of the table."""
        return {**asdict(self), "invalid": self.why_invalid}


@dataclass
class Load:
    """The three parts of a run: the model, the server, the callers."""

    upstream: Upstream
    host: ServerProcess
    crowd: Crowd

    async def measure(self, seconds: float, until: "asyncio.Future[None] | None" = None) -> Reading:
        """Measure for so many seconds, or until the future is done."""
        up, crowd = self.upstream, self.crowd
        for samples in (up.uplink, up.disturbed_uplink, crowd.downlink, crowd.lateness):
            del samples[:]
        gaps, appends, frames, underruns = up.gaps, up.appends, up.heard.total(), self._underruns()
        self.host.mark()
        await asyncio.wait([until or asyncio.get_running_loop().create_future()], timeout=seconds)
        cost, callers = self.host.cost(), len(crowd.calls)
        return Reading(
            callers=callers,
            cpu=round(cost.server, 3),
            cpu_ms_per_session=round(cost.server / max(1, callers) * 1000, 3),
            up_p50=at(up.uplink, 0.5),
            up_p99=at(up.uplink, 0.99),
            up_p999=at(up.uplink, 0.999),
            down_p50=at(crowd.downlink, 0.5),
            down_p99=at(crowd.downlink, 0.99),
            underruns=self._underruns() - underruns,
            frames_per_append=round((up.heard.total() - frames) / max(1, up.appends - appends), 2),
            lost=up.gaps - gaps,
            load_cpu=round(cost.load, 3),
            late_p99=at(crowd.lateness, 0.99),
            others_cpu=round(cost.others, 3),
        )

    def _underruns(self) -> int:
        return sum(len(call.ear.gaps) for call in self.crowd.calls)


@asynccontextmanager
async def load(kind: str, tls: bool = False, start: Start | None = None, **manner: Any) -> AsyncIterator[Load]:
    """Start one of `server_process.KINDS` between callers and a model; `manner` is its `Manner`. Raises OSError."""
    upstream = Upstream(**manner)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        context, trust = certificate(Path(folder)) if tls else (None, None)
        await upstream.open(context)
        scheme = "wss" if tls else "ws"
        gc.collect()
        gc.disable()  # its pauses would be measured as latencies of the server
        try:
            async with server_process(kind, f"{scheme}://127.0.0.1:{upstream.port}/v1/realtime", trust, start) as host:
                crowd = Crowd(host.port)
                crowd.keep_events = False
                try:
                    yield Load(upstream, host, crowd)
                finally:
                    await crowd.close()
        finally:
            await upstream.close()
            gc.enable()


@asynccontextmanager
async def churning(crowd: Crowd, seconds: float = CHURN_SECONDS) -> AsyncIterator[None]:
    """Within the context, a call begins every half second, and another one ends."""

    async def churn() -> None:
        while True:
            await asyncio.sleep(seconds)
            if answered := [call for call in crowd.calls if call.acked.done()]:
                hang_up(random.choice(answered))
            with suppress(OSError):
                await crowd.call()

    task = asyncio.create_task(churn(), name="churn")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def hang_up(call: Call) -> None:
    """End a call: at random, abruptly or after sending what is buffered."""
    if random.random() < 0.5:
        call.transport.abort()
    else:
        call.transport.close()
