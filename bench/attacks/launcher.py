"""Controls the process of the attackers (process.py): prepares, starts and stops it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from bench.server_process import ROOT, ended

PREPARE_SECONDS = 60.0
END_SECONDS = 60.0  # the attackers run when nobody else wants the machine


class AttackProcess:
    """The process of the attackers."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin
        assert process.stdout
        self._process, self._orders, self._report = process, process.stdin, process.stdout

    async def ready(self) -> None:
        """Wait until the attack is prepared. Raises OSError, TimeoutError."""
        if await asyncio.wait_for(self._report.readline(), PREPARE_SECONDS) != b"ready\n":
            raise OSError("the attack could not be prepared")

    def go(self) -> None:
        """Begin the attack."""
        self._orders.write(b"go\n")

    def stop(self) -> None:
        """Stop the attack at once."""
        self._orders.close()

    async def spent(self) -> dict[str, Any]:
        """Stop the attack, and return what it cost the attackers; empty if they do not report. Raises TimeoutError."""
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
async def attack_process(attack: str, port: int, seconds: float, addresses: int) -> AsyncIterator[AttackProcess]:
    """Start the process and prepare the attack; end the process at exit. Raises OSError, TimeoutError."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.attacks.process", attack, str(port), str(seconds), str(addresses),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        attackers = AttackProcess(process)
        await attackers.ready()
        yield attackers
    finally:
        await ended(process)
