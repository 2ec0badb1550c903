"""`python -m tests.hostile [NAME ...]`: abuse a server of our own for five minutes, and say what held.

With names of phases, only these; "fuzz" is the last of them.
"""

import asyncio
import signal
import sys

import uvloop
from rich.console import Console

from bench import report
from bench.report import Part
from bench.server_process import unpin
from tests.hostile import hour
from tests.hostile.fuzz import fuzzed
from tests.hostile.kinds import ATTACKS
from tests.hostile.targets import TARGETS

FUZZ = "fuzz"
FUZZ_SECONDS = 8.0  # of each target
MOST_SECONDS = 900.0  # then it ends, whatever there is still to do


def main(names: list[str]) -> int:
    """0 if every claim held, 1 if one did not, 2 if one could not be measured on this machine."""
    if unknown := [name for name in names if name not in (*ATTACKS, FUZZ)]:
        print(f"{unknown[0]} is none of: {'; '.join((*ATTACKS, FUZZ))}", file=sys.stderr)
        return 64
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that child processes are ended
    part = uvloop.run(_all(names))
    report.show(part, Console(width=None if sys.stdout.isatty() else 200))
    met = {target.met for target in part.targets}
    return 1 if False in met else 2 if None in met else 0


async def _all(names: list[str]) -> Part:
    attacks = [name for name in names or ATTACKS if name != FUZZ]
    async with asyncio.timeout(MOST_SECONDS):
        part = await hour.run(hour.Plan(), attacks) if attacks else Part("hostile hour")
        if not names or FUZZ in names:
            unpin()
            part.targets += await fuzzed(FUZZ_SECONDS, list(TARGETS), hour.said)
    return part


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
