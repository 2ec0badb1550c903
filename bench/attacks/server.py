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


async def worst_ms(port: int) -> float | None:
    """The maximum lateness of the server's event loop, in ms, since the last call; None if it does not answer."""
    try:
        return await asyncio.to_thread(_worst_ms, port)
    except OSError:
        return None


def _worst_ms(port: int) -> float | None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        found = WORST.search(answer.read().decode())
    return round(float(found[1]) * 1000, 1) if found else None
