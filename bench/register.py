"""What operations of the register cost here and in Redis, and how many calls one Redis carries by that.

    python -m bench.register

Starts a redis-server of its own, which keeps nothing on disk. Costs are CPU time, so that a busy machine changes them
little.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import uvloop
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from bench.redis_server import redis
from register import Bounds, Claim, Register, Spent, Taken, open_register

TIMES = 4000
AT_ONCE = 16
RECORD = b"x" * 4096  # a call with 20 turns of two sentences
TOKEN = b"t" * 32
KEPT = 60.0
CALL_SECONDS = 300.0

A_SECOND = {"save": 1 / 5, "occupy": 1 / 10, "spend": 1 / 5}
A_CALL = {"use": 1, "begins": 1, "claim": 1, "occupy": 2, "opening": 1, "save": 24, "end": 1, "vacate": 1}
"""What a call asks: regularly, and once (a save at each end of a turn)."""

Ask = Callable[[int], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one operation, in us of CPU: `here` in the process that asks, `there` in Redis."""

    here: float
    there: float


def asks(register: Register, claims: list[Claim]) -> dict[str, Ask]:
    """Each operation, by the number of its call."""
    limits = register.limits
    sums = [f"day {number}" for number in range(100)]

    async def take(number: int) -> None:
        taken = await register.take(f"u{number}", TOKEN, KEPT)
        assert isinstance(taken, Taken)
        claims[number] = taken.claim

    return {
        "use": lambda n: limits.use(f"t{n}", 1, KEPT),
        "begins": lambda n: limits.begins(f"u{n}", 10, 10.0),
        "save": lambda n: register.save(claims[n], RECORD, KEPT),
        "take": take,
        "occupy": lambda n: limits.occupy(f"p{n % 50}", claims[n], 1000, KEPT),
        "vacate": lambda n: limits.vacate(f"p{n % 50}", claims[n]),
        "spend": lambda n: limits.spend([Spent(key, 7, KEPT) for key in (sums[n % 100], "hour", "all")]),
        "opening": lambda n: limits.opening(1000.0, 1e6),
        "epochs of 500": lambda n: register.epochs([f"u{m}" for m in range(500)]),
        "end": lambda n: register.end(claims[n], RECORD, KEPT),
    }


async def measure(ask: Ask, redis: Redis, times: int) -> Cost:
    """Ask so many times, some at once."""

    async def cpu() -> float:
        told = await redis.info("cpu")
        return float(told["used_cpu_user"]) + float(told["used_cpu_sys"])

    async def some(first: int) -> None:
        for number in range(first, times, AT_ONCE):
            await ask(number)

    there, here = await cpu(), time.process_time()
    await asyncio.gather(*(some(first) for first in range(AT_ONCE)))
    return Cost((time.process_time() - here) / times * 1e6, (await cpu() - there) / times * 1e6)


async def costs(url: str) -> dict[str, Cost]:
    """Of all operations."""
    register, redis = open_register(url, "bench", Bounds(answer=30.0)), Redis.from_url(url)
    here = asyncio.Event()
    register.presence.on_change(lambda _: here.set())
    await here.wait()
    claims: list[Claim] = [None] * TIMES  # type: ignore[list-item]

    async def claim(number: int) -> None:
        claims[number] = await register.claim(f"u{number}", TOKEN, KEPT)

    measured = {"claim": await measure(claim, redis, TIMES)}
    for name, ask in asks(register, claims).items():
        measured[name] = await measure(ask, redis, TIMES // 20 if name.startswith("epochs") else TIMES)
    await register.close()
    await redis.aclose()
    return measured


def show(measured: dict[str, Cost]) -> None:
    """The table, and what follows for calls."""
    table = Table("operation", "us here", "us in Redis")
    for name, cost in measured.items():
        table.add_row(name, f"{cost.here:.0f}", f"{cost.there:.1f}")
    console = Console()
    console.print(table)
    rates = {name: A_SECOND.get(name, 0.0) + A_CALL.get(name, 0) / CALL_SECONDS for name in {**A_SECOND, **A_CALL}}
    operations = sum(rates.values())
    here = sum(rate * measured[name].here for name, rate in rates.items())
    there = sum(rate * measured[name].there for name, rate in rates.items())
    console.print(
        f"a call of {CALL_SECONDS:.0f} s: {operations:.2f} operations a second, 1,000 calls {operations * 1000:.0f}"
    )
    console.print(f"a core of a server: {here / 1e4:.3f} % for a call; a core of Redis: {1e6 / there:,.0f} calls")


def main() -> None:
    """Start a Redis, measure, end it."""
    with redis() as url:
        show(uvloop.run(costs(url)))


if __name__ == "__main__":
    main()
