"""Those who attack, as whoever measures has them: made ready, sent off, called back."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from bench.host import ROOT, ended

PREPARE_SECONDS = 60.0
END_SECONDS = 20.0


class Squad:
    """The process that attacks."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin
        assert process.stdout
        self._process, self._orders, self._report = process, process.stdin, process.stdout

    async def ready(self) -> None:
        """Its poison is made. Raises OSError, or TimeoutError."""
        if await asyncio.wait_for(self._report.readline(), PREPARE_SECONDS) != b"ready\n":
            raise OSError("the attack could not be prepared")

    def go(self) -> None:
        """Begin."""
        self._orders.write(b"go\n")

    def stop(self) -> None:
        """Whatever they are at."""
        self._orders.close()

    async def spent(self) -> dict[str, Any]:
        """What it cost them, once they have stopped; nothing where they do not say."""
        self.stop()
        line = await asyncio.wait_for(self._report.readline(), END_SECONDS)
        spent: dict[str, Any] = orjson.loads(line or b"{}")
        if not spent:
            return {}
        seconds = max(0.1, spent["seconds"])
        return {
            "mb_a_second": round(spent["sent"] / seconds / 1e6, 2),
            "connects_a_second": round(spent["connections"] / seconds, 1),
            "spent": spent,
        }


@asynccontextmanager
async def squad(attack: str, port: int, seconds: float, addresses: int) -> AsyncIterator[Squad]:
    """Ready to attack; gone afterwards. Raises OSError, or TimeoutError."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.attacks.process", attack, str(port), str(seconds), str(addresses),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        attackers = Squad(process)
        await attackers.ready()
        yield attackers
    finally:
        await ended(process)
