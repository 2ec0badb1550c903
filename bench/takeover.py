"""How fast callers are at another server when theirs is killed, and what a call asks of the register.

    python -m bench.takeover [CALLS]

Two servers, a redis-server of its own and the fake model. All calls are on the first server, which is killed with -9 in
the middle of them; all come back to the second, within half a second. Measured from the beginning of each caller's new
connection: until `resumed`, and until the model is there, with the history of the call. On a busy machine the CPU time
of a takeover says more.
"""

import asyncio
import random
import sys
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvloop
from rich.console import Console
from rich.table import Table

from bench.load import at
from bench.redis_server import redis
from bench.server_process import UNLIMITED, ServerProcess, Start, server_process
from bench.upstream import Upstream
from phone.lasting import LastingPhone
from phone.phone import Message

CALLS, AT_ONCE = 200, 10
TALK_SECONDS = 15.0
WITHIN = 60.0
GOAL_MS = 500
JITTER_SECONDS = 0.5  # as clients come back (clients/js/call.js)
PERSONA = "tina_kulkarni_vedic_marriage"
OPERATIONS = "voice_register_operations_total"


@dataclass
class TimedPhone(LastingPhone):
    """It notes when it came back: all times in seconds of the loop."""

    asked_at: float = 0.0
    resumed_at: float = 0.0
    model_at: float = 0.0

    async def _knock(self) -> Message:
        await asyncio.sleep(random.uniform(0.0, JITTER_SECONDS))
        self.asked_at = time.perf_counter()
        told = await super()._knock()
        self.resumed_at = time.perf_counter()
        return told

    async def is_back(self) -> None:
        """Hear what there is until the call goes on elsewhere."""
        while not self.model_at:
            message = await self.next()
            if self.moved and message.get("code") == "resumed":
                self.model_at = time.perf_counter()


@asynccontextmanager
async def node(name: str, upstream: Upstream, register: str) -> AsyncIterator[ServerProcess]:
    """A server of the fleet."""
    options = [*UNLIMITED, "--node", name, "--address-calls", "100000", "--address-connects", "100000"]
    options += ["--address-minute", "100000", "--address-connections", "100000"]
    start = Start(options=options, environment={"REGISTER_URL": register, "UPSTREAM_API_KEY": "bench"})
    async with server_process("server", f"ws://127.0.0.1:{upstream.port}/v1/realtime", start=start) as one:
        yield one


def operations(one: ServerProcess) -> dict[str, float]:
    """What the register was asked by now."""
    with urllib.request.urlopen(one.metrics) as answer:
        lines = [line for line in answer.read().decode().splitlines() if line.startswith(OPERATIONS)]
    return {line.partition('"')[2].partition('"')[0]: float(line.rpartition(" ")[2]) for line in lines}


async def talk(phone: TimedPhone, gate: asyncio.Semaphore) -> None:
    """Be greeted, and ask something."""
    async with gate:
        await phone.__aenter__()
        await phone.choose(PERSONA, mode="stream")
    await phone.reply()
    await phone.say(type="text", text="Tell me.")
    await phone.reply()


async def measure(register: str, calls: int) -> tuple[list[TimedPhone], dict[str, float], float]:
    """The phones, which have come back; the operations of a call and second on the first server; CPU of a takeover."""
    upstream, gate = Upstream(words=10, gap=0.1, thinking=0.3), asyncio.Semaphore(AT_ONCE)
    await upstream.open()
    async with node("b", upstream, register) as b:
        async with node("a", upstream, register) as a:
            phones = [TimedPhone(f"ws://127.0.0.1:{a.port}", f"caller-{number}") for number in range(calls)]
            await asyncio.gather(*(talk(phone, gate) for phone in phones))
            before, began = await asyncio.to_thread(operations, a), time.perf_counter()
            hearing = [asyncio.create_task(phone.is_back()) for phone in phones]
            await asyncio.sleep(TALK_SECONDS)
            after, seconds = await asyncio.to_thread(operations, a), time.perf_counter() - began
            for phone in phones:
                phone.url = f"ws://127.0.0.1:{b.port}"
            a.process.kill()
            cpu = sum(b.process.cpu_times()[:2])
            async with asyncio.timeout(WITHIN):
                await asyncio.gather(*hearing)
            cpu = (sum(b.process.cpu_times()[:2]) - cpu) / calls
        for phone in phones:
            await phone.say(type="end")
    await upstream.close()
    return phones, {name: (count - before.get(name, 0.0)) / seconds / calls for name, count in after.items()}, cpu


def main() -> None:
    """Measure, and show it."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else CALLS
    with redis() as register:
        phones, asked, cpu = uvloop.run(measure(register, calls))
    table, console = Table("ms", "p50", "p95", "max"), Console()
    for name, times in (
        ("resumed", [phone.resumed_at - phone.asked_at for phone in phones]),
        ("the model is there", [phone.model_at - phone.asked_at for phone in phones]),
    ):
        table.add_row(name, *(f"{at([round(one * 1e6) for one in times], share):.0f}" for share in (0.5, 0.95, 1.0)))
    console.print(table)
    rates = ", ".join(f"{name} {rate:.3f}" for name, rate in asked.items() if rate)
    console.print(f"{calls} calls; operations of a call, a second, while nobody speaks: {rates}")
    console.print(f"{cpu * 1000:.1f} ms of CPU for a takeover, until the model is there")
    console.print(f"goal: {GOAL_MS} ms (p95) until resumed")


if __name__ == "__main__":
    main()
