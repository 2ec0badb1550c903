"""A child process that is started again when it dies or hangs, until it is told to end.

start() ── spawned ──▶ it listens on its unix socket: up
              ▲                    │ ends, or is killed as it hangs (vigil.py)
              └── pause (0.2 s, doubled up to 5 s)        after `end`: over, with its exit code
"""

import asyncio
import logging
import os
import signal
import time
from asyncio.subprocess import DEVNULL, PIPE, Process, SubprocessStreamProtocol
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cli.fleet.lines import relay
from cli.fleet.vigil import hangs

log = logging.getLogger("serve")

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds before a restart; doubled after each failure
STABLE_SECONDS = 30.0  # after a life this long the next pause is the first again
START_SECONDS = 180.0  # decoders may take a minute on a busy machine
LOOK_SECONDS = 0.05  # between two looks whether it serves
END_SECONDS = 0.2  # between two looks whether it has ended
LAST_SECONDS = 2.0  # to read its last lines
LONGEST_LINE = 2**16  # bytes


class DidNotStart(Exception):
    """It ended before it served; `code` is its exit code. What it said is in the log."""

    def __init__(self, name: str, code: int) -> None:
        super().__init__(f"{name} did not start (exit code {code}): its words are above.")
        self.code = code


@dataclass(frozen=True, slots=True)
class Program:
    """What is run. It serves as soon as it listens on the unix socket `alive`."""

    name: str
    command: Sequence[str]
    alive: Path
    environment: Mapping[str, str] = field(repr=False)
    handles: Sequence[int] = ()
    """Open files that it inherits."""
    loss: str = ""
    """What its death means for callers; nothing is lost if it ends in order."""
    asked: Path | None = None
    """The unix socket where it answers HTTP as long as it does not hang; None: it is not asked."""


class Kept:
    """Runs one program. To be made, started and ended on the loop's own thread, on which its leash depends."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.restarts = 0
        self.up = False
        self._process: Process | None = None
        self._transport: asyncio.SubprocessTransport | None = None
        self._relaying: asyncio.Task[None] | None = None
        self._ending = asyncio.Event()
        self._over: asyncio.Task[int] | None = None

    @property
    def pid(self) -> int:
        """Of the process that runs, or ran last; 0 before the first."""
        return self._process.pid if self._process else 0

    async def start(self) -> None:
        """Start it and wait until it serves; from then on it is kept. Raises DidNotStart, TimeoutError, OSError."""
        await self._spawn()
        self._over = asyncio.create_task(self._keep(), name=f"keep {self.program.name}")

    def tell(self, line: str) -> None:
        """Write a line to its stdin."""
        if self._process and self._process.stdin and self._process.returncode is None:
            self._process.stdin.write(f"{line}\n".encode())

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._process:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def end(self) -> None:
        """Do not start it again. If it does not serve yet it is ended at once; else whoever calls this tells it."""
        self._ending.set()
        if not self.up:
            self.kill()

    def kill(self) -> None:
        """End it at once, with all processes that it has started."""
        if self._process:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def over(self) -> int:
        """Wait until it has ended for good; returns its exit code, of a signal with a minus."""
        return await asyncio.shield(self._over) if self._over else 0

    async def close(self) -> None:
        """End it now, if it runs. May be called at any time."""
        self.end()
        self.kill()
        await self.over()
        if self._transport:
            self._transport.close()

    async def _keep(self) -> int:
        pause, began = FIRST_PAUSE, time.monotonic()
        while True:
            code = await self._ended()
            if self._ending.is_set():
                return code
            if time.monotonic() - began > STABLE_SECONDS:
                pause = FIRST_PAUSE
            name, loss = self.program.name, self.program.loss if code else ""
            log.warning("%s ended (%s), starting it again in %.1f s%s", name, ending(code), pause, loss)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), pause)
                return code
            pause, began = min(pause * 2, LONGEST_PAUSE), time.monotonic()
            self.restarts += 1
            with suppress(DidNotStart, TimeoutError, OSError):
                await self._spawn()
                log.info("%s serves again", name)

    async def _spawn(self) -> None:
        """Start it and wait until it serves."""
        program = self.program
        loop = asyncio.get_running_loop()
        # As create_subprocess_exec does, which keeps the transport to itself: `_ended` closes it.
        self._transport, protocol = await loop.subprocess_exec(
            lambda: SubprocessStreamProtocol(LONGEST_LINE, loop),
            *program.command,
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=PIPE,
            env=program.environment,
            pass_fds=program.handles,
            start_new_session=True,  # Ctrl-C is for this process, which tells the others
        )
        self._process = Process(self._transport, protocol, loop)
        assert self._process.stderr
        self._relaying = asyncio.create_task(
            relay(self._process.stderr, program.name), name=f"the log of {program.name}"
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                while not self.up and self._process.returncode is None:
                    await asyncio.sleep(LOOK_SECONDS)
                    self.up = await listens(program.alive)
        finally:
            if not self.up:
                self.kill()
        if self._process.returncode is not None:
            raise DidNotStart(program.name, await self._ended())

    async def _ended(self) -> int:
        """Wait for its end; what it has started ends with it, and its last lines are passed on."""
        assert self._process
        assert self._relaying
        assert self._transport
        vigil = asyncio.create_task(self._watch(), name=f"vigil for {self.program.name}") if self.up else None
        while self._process.returncode is None:  # noqa: ASYNC110  # `wait` waits for its pipes, too, which others hold
            await asyncio.sleep(END_SECONDS)
        if vigil:
            vigil.cancel()
        self.up = False
        self.kill()
        await asyncio.wait([self._relaying], timeout=LAST_SECONDS)
        self._relaying.cancel()
        self._transport.close()
        return self._process.returncode

    async def _watch(self) -> None:
        """Kill it once it hangs."""
        if self.program.asked:
            seconds = await hangs(self.program.asked)
            log.error("%s hangs: it did not answer for %.0f s, and is killed", self.program.name, seconds)
            self.kill()


async def listens(path: Path) -> bool:
    """True if somebody accepts connections on this unix socket."""
    try:
        _, writer = await asyncio.open_unix_connection(str(path))
    except OSError:
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


def ending(code: int) -> str:
    """How a process ended, in words."""
    return f"exit code {code}" if code >= 0 else f"signal {-code}"
