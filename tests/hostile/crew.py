"""The attackers' process, `python -m tests.hostile.crew PORT ADMIN_PORT [yields]`; what starts it and gives it orders.

It prints "ready" when all attacks are prepared. For each line "SECONDS NAME" it attacks for so long, and prints as JSON
what that cost and which answers came. It ends when stdin is closed, and by the kernel's alarm after MOST_SECONDS.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
import psutil

from bench.attacks.process import attacked, yield_to_the_load
from bench.server_process import ROOT, ended

MOST_SECONDS = 900
PREPARE_SECONDS = 180.0
LATE_SECONDS = 180.0  # for the answer to an order, beyond its time: attackers run when nobody else wants the machine
ADDRESSES = 20  # from which they come: 127.0.0.2 and the next ones


class Crew:
    """The running process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin
        assert process.stdout
        self._orders, self._report = process.stdin, process.stdout
        self._used = psutil.Process(process.pid)

    def cpu(self) -> float:
        """Seconds of CPU that it has used."""
        with suppress(psutil.NoSuchProcess):
            return float(sum(self._used.cpu_times()[:2]))
        return 0.0

    async def ready(self) -> None:
        """Wait until all attacks are prepared. Raises OSError, TimeoutError."""
        if await asyncio.wait_for(self._report.readline(), PREPARE_SECONDS) != b"ready\n":
            raise OSError("the attacks could not be prepared")

    async def attack(self, name: str, seconds: float) -> dict[str, Any]:
        """Attack; returns what it cost, at its end. Raises OSError, TimeoutError."""
        self._orders.write(f"{seconds} {name}\n".encode())
        line = await asyncio.wait_for(self._report.readline(), seconds + LATE_SECONDS)
        if not line:
            raise OSError("the attackers have ended")
        spent: dict[str, Any] = orjson.loads(line)
        return spent


@asynccontextmanager
async def crew(port: int, admin: int, *, yields: bool = True) -> AsyncIterator[Crew]:
    """Start the process; it is not ready yet. `yields`: it runs when nobody else wants the machine, as times count."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.hostile.crew", str(port), str(admin), *["yields"] * yields,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT, limit=2**20,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        yield Crew(process)
    finally:
        await ended(process)


async def _obey(port: int, admin: int, yields: bool) -> None:
    from tests.hostile.attackers import Guest
    from tests.hostile.kinds import ATTACKS

    attacks = {name: prepare() for name, prepare in ATTACKS.items()}
    signal.alarm(MOST_SECONDS)
    if yields:
        yield_to_the_load(MOST_SECONDS)
    else:
        os.nice(10)  # tests run beside
    print("ready", flush=True)
    loop, orders = asyncio.get_running_loop(), asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        seconds, _, name = line.decode().strip().partition(" ")
        spent = await attacked(attacks[name], Guest(port, ADDRESSES, admin), float(seconds))
        print(orjson.dumps(spent).decode(), flush=True)


if __name__ == "__main__":
    asyncio.run(_obey(int(sys.argv[1]), int(sys.argv[2]), "yields" in sys.argv[3:]))
