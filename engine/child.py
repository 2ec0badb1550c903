"""Runs the engine as a child process and restarts it when it dies. `program.py` is what runs inside.

    start() ── _spawn ──▶ the child announces {"progress": ...}, then {"ready": url}, in JSON lines on stdout
                             │
    _keep (a task)           ▼
       └─▶ _watch: logs the other lines of the child until it ends
              └─▶ pause (0.2 s, doubled up to 5 s) ─▶ _restart on the same port ─▶ _watch ...

    stop() ── closes the child's stdin, which ends it, and kills its process group after 2 s

The token of the clients reaches the child by its environment only. Of the server's own environment it gets what it
needs: none of its keys.
"""

import asyncio
import json
import logging
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from cage import clean_environment

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "supervisor", "engine", "--child", "--host", "127.0.0.1")
TOKEN = "LOCAL_ENGINE_TOKEN"
LLM_URL = "LOCAL_LLM_URL"

# What it needs of the server's environment: its own settings, and those of its libraries.
INHERITED = ("HOME", "TMPDIR", "TZ", "LANG")
PREFIXES = ("ENGINE_", "PYTHON", "LC_", "OMP_", "OPENBLAS_", "MKL_", "CT2_", "ORT_", "SSL_CERT_")

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds before a restart; doubled after each failure
STABLE_SECONDS = 30.0  # after a life this long the next pause is the first again
START_SECONDS = 120.0  # enough for a slow disk and two busy cores
SLOW = f"it was not ready after {START_SECONDS:.0f} s"
GRACE_SECONDS = 2.0  # for a child to end by itself
LAST_LINES = 20  # of its output, which an error quotes
LONGEST_LINE = 2**16  # bytes


class EngineFailed(Exception):
    """The child did not start. The message is the last lines of its output."""


class Child:
    """One engine process, restarted when it ends, until `stop`.

    `token` is the key that clients must send; the child gets it by its environment only. `command` is the command
    line, to which `--port PORT` is appended.
    """

    def __init__(self, token: str, *, llm_url: str | None = None, command: Sequence[str] = COMMAND) -> None:
        own = {TOKEN: token, "PYTHONUNBUFFERED": "1"}  # unbuffered: its lines must arrive when they are written
        inherited = clean_environment(*INHERITED, prefixes=PREFIXES)
        self._environment = {**inherited, **own, **({LLM_URL: llm_url} if llm_url else {})}
        self._command = tuple(command)
        self._port = 0
        self._process: asyncio.subprocess.Process | None = None
        self._ready = False
        self._last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self._keeper: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """True from the announcement that it is ready until its output ends."""
        return self._ready

    @property
    def pid(self) -> int | None:
        """The id of the process, None while there is none."""
        return self._process.pid if self._process else None

    async def start(self, on_progress: Callable[[str], None]) -> str:
        """Start the process and wait until it is ready. Returns its address, ws://HOST:PORT/v1/realtime.

        Raises EngineFailed, with the last lines of its output, if it ends or is not ready after two minutes.
        """
        try:
            async with asyncio.timeout(START_SECONDS):
                url = await self._spawn(on_progress)
        except TimeoutError:
            raise EngineFailed("\n".join([*self._last_lines, SLOW])) from None
        finally:
            if not self._ready:
                await self._end()
        self._keeper = asyncio.create_task(self._keep(), name="keep the local engine")
        return url

    async def stop(self) -> None:
        """End the process for good, with all its children. May be called at any time, also twice."""
        if self._keeper:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
            self._keeper = None
        await self._end()

    async def _spawn(self, on_progress: Callable[[str], None]) -> str:
        """Start a process and read its output until it is ready. Returns its address. Raises EngineFailed."""
        self._last_lines.clear()
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            "--port",
            str(self._port),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self._environment,
            start_new_session=True,
            limit=LONGEST_LINE,
        )
        while line := await self._read_line():
            fact = _announcement(line)
            if "progress" in fact:
                on_progress(fact["progress"])
            elif "ready" in fact:
                self._ready = True
                # A restarted child gets the same port, so that the address remains valid.
                self._port = int(fact["ready"].rsplit(":", 1)[1].partition("/")[0])
                return fact["ready"]
            else:
                self._last_lines.append(line.rstrip())
        code = await self._process.wait()
        raise EngineFailed("\n".join([*self._last_lines, f"it ended with exit code {code}"]))

    async def _keep(self) -> None:
        """Wait for its end and restart it, until this task is cancelled."""
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            await self._watch()
            pause = FIRST_PAUSE if time.monotonic() - began > STABLE_SECONDS else pause
            while not self._ready:
                log.warning("the local engine ended, starting it again in %.1f s", pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                await self._restart()

    async def _watch(self) -> None:
        """Log the output of the child until it ends."""
        try:
            while line := await self._read_line():
                log.info("local engine: %s", line.rstrip())
        finally:
            self._ready = False
        await self._end()

    async def _restart(self) -> None:
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._spawn(lambda stage: log.info("local engine: %s", stage))
        except (EngineFailed, TimeoutError, OSError) as failure:
            log.warning("the local engine did not start: %s", str(failure) or SLOW)
            await self._end()

    async def _read_line(self) -> str:
        """The next line of the child's output; empty at its end."""
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            return (await self._process.stdout.readline()).decode(errors="replace")
        except ValueError:  # longer than the limit: the stream reader has discarded it
            return "(a line too long to show)\n"

    async def _end(self) -> None:
        """Close its stdin, which ends it, and kill its process group after GRACE_SECONDS."""
        self._ready = False
        if (process := self._process) is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(GRACE_SECONDS):
                await process.wait()
        except TimeoutError:
            log.warning("the local engine did not end by itself and is killed")
        finally:
            # The group: also the processes that it started. In `finally`: also if this task is cancelled meanwhile.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            self._process = None
        await process.wait()


def _announcement(line: str) -> dict[str, str]:
    """Parse a line: {"progress": stage}, {"ready": address}, or {} for ordinary output."""
    try:
        fact = json.loads(line)
    except ValueError:
        return {}
    return fact if isinstance(fact, dict) else {}
