"""As many simulated calls as there is time for: `make nightly HOURS=8`. It names the seeds that failed."""

import argparse
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import suppress
from itertools import count
from multiprocessing import get_context
from typing import TypeAlias

from tests.simulation.run import Simulated, simulate

AGAIN = ".venv/bin/python -m pytest tests/simulation/test_simulation.py --simulation-seed"
REST = 60.0  # seconds between two lines of progress
Attempt: TypeAlias = tuple[int, int, str]
"""The seed, how many calls it had, and what was wrong in its run, if anything was."""


def attempt(seed: int, simulate: Callable[[int], int] = simulate) -> Attempt:
    """Run one seed."""
    try:
        return seed, simulate(seed), ""
    except Simulated as wrong:
        return seed, 0, str(wrong).splitlines()[-2]


def attempts(first: int, seconds: float, processes: int) -> Iterator[Attempt]:
    """One seed after the other, in so many processes, until the time is over."""
    end, seeds, under_way = time.monotonic() + seconds, count(first), set[Future[Attempt]]()
    ignore_keys = (signal.SIGINT, signal.SIG_IGN)  # the one who reports hears them
    with ProcessPoolExecutor(processes, get_context("spawn"), signal.signal, ignore_keys) as pool:
        while time.monotonic() < end or under_way:
            while len(under_way) < 2 * processes and time.monotonic() < end:
                under_way.add(pool.submit(attempt, next(seeds)))
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()


def report(first: int, attempts: Iterator[Attempt]) -> list[int]:
    """Print what becomes of them, until they end or Ctrl-C is pressed; returns the seeds that failed."""
    failed, runs, calls, told = list[int](), 0, 0, time.monotonic()
    with suppress(KeyboardInterrupt):
        for seed, held, wrong in attempts:
            runs, calls = runs + 1, calls + held
            if wrong:
                failed.append(seed)
                print(f"{wrong}\n    {AGAIN} {seed}", flush=True)
            if time.monotonic() - told >= REST:
                told = time.monotonic()
                print(f"{runs} runs, {calls} calls, {len(failed)} failed", flush=True)
    print(f"{runs} runs from seed {first} on, {calls} calls, {len(failed)} failed", *sorted(failed), flush=True)
    return failed


def main() -> None:
    """Exit code 1 if any run failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.nightly", description=__doc__)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--hours", type=float, default=8.0)
    length.add_argument("--seconds", type=float)
    parser.add_argument("--first", type=int, help="the first seed; one that was hardly seen before, unless told")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    told = parser.parse_args()
    first = random.randrange(10**6, 10**12) if told.first is None else told.first
    sys.exit(bool(report(first, attempts(first, told.seconds or 3600 * told.hours, told.processes))))


if __name__ == "__main__":
    main()
