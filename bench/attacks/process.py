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

import orjson

from bench.attacks.attacker import Attacker, SpentError
from bench.attacks.kinds import ATTACKS

MOST_SECONDS = 120  # after which the kernel kills the process


async def _main(name: str, port: int, seconds: float, addresses: int) -> None:
    attack, attacker = ATTACKS[name](), Attacker(port, addresses)
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    if not await orders.readline():
        return
    began = time.monotonic()
    doing = asyncio.ensure_future(attack(attacker))
    stopped = asyncio.ensure_future(orders.read())
    await asyncio.wait([doing, stopped], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    lasted = time.monotonic() - began
    doing.cancel()
    with suppress(asyncio.CancelledError, SpentError):
        await doing
    for wire in list(attacker.wires):
        wire.cut()
    figures = {name: getattr(attacker, name) for name in ("sent", "received", "connections", "failed", "told")}
    print(orjson.dumps({"seconds": lasted, **figures}).decode(), flush=True)


if __name__ == "__main__":
    signal.alarm(MOST_SECONDS)
    # The load generator is on the same core. It measures, so it comes first.
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
