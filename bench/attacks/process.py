"""The process of the attackers: `python -m bench.attacks.process NAME PORT SECONDS ADDRESSES`.

It prints "ready" when the attack is prepared, begins when it reads the line "go", and ends after so many seconds, after
MOST_BYTES, or when its stdin is closed. Then it prints, as JSON, what it spent and which answers it received.
"""

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from typing import Any

import orjson

from bench.attacks.attacker import Attack, Attacker, SpentError
from bench.attacks.kinds import ATTACKS

MOST_SECONDS = 120  # after which the kernel kills the process


async def _main(name: str, port: int, seconds: float, addresses: int) -> None:
    attack, attacker = ATTACKS[name](), Attacker(port, addresses)
    yield_to_the_load(MOST_SECONDS)  # and not before: who waits for the preparations measures nothing meanwhile
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    if not await orders.readline():
        return
    stopped = asyncio.ensure_future(orders.read())
    spent = await attacked(attack, attacker, seconds, stopped)
    print(orjson.dumps(spent).decode(), flush=True)


async def attacked(
    attack: Attack, attacker: Attacker, seconds: float, stopped: "asyncio.Future[bytes] | None" = None
) -> dict[str, Any]:
    """Attack for so long, or until `stopped` is done; returns what it cost, and the answers that came."""
    began = time.monotonic()
    doing = asyncio.ensure_future(attack(attacker))
    ends: list[asyncio.Future[Any]] = [doing, stopped] if stopped else [doing]
    await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    lasted = time.monotonic() - began
    doing.cancel()
    with suppress(asyncio.CancelledError, SpentError):
        await doing
    for wire in list(attacker.wires):
        wire.cut()
    return {"seconds": lasted, **{name: getattr(attacker, name) for name in attacker.figures}}


def yield_to_the_load(most_seconds: int) -> None:
    """The load generator is on the same core. It measures, so it comes first. Ends the process after so long."""
    signal.alarm(most_seconds)
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


if __name__ == "__main__":
    signal.alarm(MOST_SECONDS)
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
