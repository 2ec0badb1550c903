"""The server that is attacked: how it is started, and how late its event loop was."""

import asyncio
import os
import re
import subprocess
import sys
import urllib.request
from functools import cache
from pathlib import Path

from bench.attacks.cases import Case
from bench.server_process import Start

STRANGERS = "--limit-loopback"  # of `serve`: loopback other than 127.0.0.1 is limited by address
STEP = re.compile(r'^voice_loop_late_seconds_bucket\{le="(\S+)"\} (\S+)$', re.MULTILINE)
WORST = re.compile(r"^voice_loop_late_worst_seconds (\S+)$", re.MULTILINE)


def start(case: Case, tree: Path) -> Start:
    """With the default limits and the options of the case; addresses such as 127.0.0.2 are limited, if supported."""
    strangers = [STRANGERS] if STRANGERS in options_of(tree) else []
    return Start([*case.options, *strangers], tree, case.environment, case.handles, case.unread)


@cache
def options_of(tree: Path) -> frozenset[str]:
    """The options of `serve` in this checkout."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "250", "TERMINAL_WIDTH": "250", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "supervisor", "serve", "--help"]
    shown = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=60)
    return frozenset(re.findall(r"--[a-z][a-z-]+", shown.stdout))


class Lateness:
    """How late the loop of a server was from `begin` on: by the largest step of its histogram in which there is more.

    The worst that the server tells, which is of the last minute or two, counts where it lies within that step.
    """

    def __init__(self, metrics: str) -> None:
        self._url = metrics
        self._before: dict[str, float] = {}

    async def begin(self) -> None:
        """Count from now on."""
        self._before, _ = await self._read()

    async def worst_ms(self) -> float | None:
        """In ms; None if the server does not answer."""
        steps, worst = await self._read()
        more = {step: count - self._before.get(step, 0) for step, count in steps.items()}
        total = more.pop("+Inf", 0)
        enough = [float(step) for step, count in more.items() if count == total]
        if worst is None:
            return None
        return round(min([worst, *enough]) * 1000, 1)

    async def _read(self) -> tuple[dict[str, float], float | None]:
        try:
            text = await asyncio.to_thread(self._text)
        except OSError:
            return {}, None
        found = WORST.search(text)
        return {step: float(count) for step, count in STEP.findall(text)}, float(found[1]) if found else None

    def _text(self) -> str:
        with urllib.request.urlopen(self._url, timeout=5) as answer:
            text: str = answer.read().decode()
        return text
