"""Finds out that a process hangs: it runs, and answers nobody.

    asked on its unix socket ─┬─▶ an answer, whatever it says     ──▶ asked again after EVERY_SECONDS
                              ├─▶ none within ANSWER_SECONDS      ──▶ asked again; after VAIN of them in a row it hangs
                              └─▶ none, but we did nothing either ──▶ the count begins anew

The last is a machine that slept, or one so busy that this process stood still, too: then nothing is known of the other.
The clock is one that goes on while the machine sleeps.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from actors.runtime.wakefulness import CLOCK

EVERY_SECONDS = 5.0
ANSWER_SECONDS = 10.0  # a loop that stands still for so long delays all callers, and does not end their calls
VAIN = 3  # questions in a row
LATE_SECONDS = 1.0  # by which this process is late if it stood still itself

QUESTION = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def _awake_and_asleep() -> float:
    return time.clock_gettime(CLOCK)


async def hangs(path: Path, clock: Callable[[], float] = _awake_and_asleep) -> float:
    """Wait until it hangs who listens on this unix socket; returns for how many seconds it was asked in vain."""
    vain = 0
    while vain < VAIN:
        asked = clock()
        if await _answers(path):
            vain = 0
            await asyncio.sleep(EVERY_SECONDS)
        elif clock() - asked < ANSWER_SECONDS + LATE_SECONDS:
            vain += 1
        else:
            vain = 0
    return VAIN * ANSWER_SECONDS


async def _answers(path: Path) -> bool:
    """True if an answer begins in time. Takes all of that time where there is none."""
    with suppress(TimeoutError):
        async with asyncio.timeout(ANSWER_SECONDS):
            with suppress(OSError):
                if await _asked(path):
                    return True
            await asyncio.Event().wait()  # it may be ending, or has no handle left: to be refused at once says little
    return False


async def _asked(path: Path) -> bool:
    reader, writer = await asyncio.open_unix_connection(str(path))
    try:
        writer.write(QUESTION)
        return bool(await reader.read(1))
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
