"""The engine as a child process: it announces itself in JSON lines, ends when its stdin does, and is restarted."""

import asyncio
import json
import logging
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from engine import serve

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "supervisor", "engine", "--child", "--host", "127.0.0.1")
TOKEN = "LOCAL_ENGINE_TOKEN"
LLM_URL = "LOCAL_LLM_URL"

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds before a restart, doubling
STABLE_SECONDS = 30.0  # a child that lived this long begins again at the first pause
START_SECONDS = 120.0  # a slow disk and two busy cores are no failure
GRACE_SECONDS = 2.0  # for a child to end by itself
LAST_LINES = 20
LONGEST_LINE = 2**16  # bytes of the child's output


class EngineFailed(Exception):
    """The child did not come up; the message is what it said last."""


class Child:
    """One engine process, kept alive until `stop`.

    `token` is what its clients must show; it reaches the child through its environment only. `command` is what to
    run; `--port PORT` is added.
    """

    def __init__(self, token: str, *, llm_url: str | None = None, command: Sequence[str] = COMMAND) -> None:
        told = {TOKEN: token, "PYTHONUNBUFFERED": "1"}  # so that its lines come as it says them
        self._environment = {**os.environ, **told, **({LLM_URL: llm_url} if llm_url else {})}
        self._command = tuple(command)
        self._port = 0
        self._process: asyncio.subprocess.Process | None = None
        self._ready = False
        self._said: deque[str] = deque(maxlen=LAST_LINES)
        self._keeping: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether the engine answers calls, as far as is known."""
        return self._ready

    @property
    def pid(self) -> int | None:
        """The process that runs now, None between two of them."""
        return self._process.pid if self._process else None

    async def start(self, on_progress: Callable[[str], None]) -> str:
        """Start it and wait until it is ready; gives its address.

        Raises EngineFailed, with its last lines, when it ends or says nothing for two minutes instead.
        """
        try:
            async with asyncio.timeout(START_SECONDS):
                url = await self._spawn(on_progress)
        except TimeoutError:
            slow = f"it was not ready after {START_SECONDS:.0f} s"
            raise EngineFailed("\n".join([*self._said, slow])) from None
        finally:
            if not self._ready:
                await self._end()
        self._keeping = asyncio.create_task(self._keep(), name="keep the local engine")
        return url

    async def stop(self) -> None:
        """End it, for good; nothing of it is left. May be called at any time, and twice."""
        if self._keeping:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
            self._keeping = None
        await self._end()

    async def _spawn(self, on_progress: Callable[[str], None]) -> str:
        """A new process, up to its announcement that it is ready."""
        self._said.clear()
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
        while line := await self._line():
            told = _announced(line)
            if "progress" in told:
                on_progress(told["progress"])
            elif "ready" in told:
                self._ready = True
                # The same port again after a restart, so that the address stays good.
                self._port = int(told["ready"].rsplit(":", 1)[1].partition("/")[0])
                return told["ready"]
            else:
                self._said.append(line.rstrip())
        code = await self._process.wait()
        raise EngineFailed("\n".join([*self._said, f"it ended with exit code {code}"]))

    async def _keep(self) -> None:
        """Watch it end and start it again, for as long as this task lives."""
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            await self._watch()
            pause = FIRST_PAUSE if time.monotonic() - began > STABLE_SECONDS else pause
            while not self._ready:
                log.warning("the local engine ended, starting it again in %.1f s", pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                await self._try_again()

    async def _watch(self) -> None:
        """Pass on what the child says, until it ends."""
        try:
            while line := await self._line():
                log.info("local engine: %s", line.rstrip())
        finally:
            self._ready = False
        await self._end()

    async def _try_again(self) -> None:
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._spawn(lambda stage: log.info("local engine: %s", stage))
        except (EngineFailed, TimeoutError, OSError) as failure:
            log.warning("the local engine did not start: %s", failure)
            await self._end()

    async def _line(self) -> str:
        """The next line of the child's output, empty at its end."""
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            return (await self._process.stdout.readline()).decode(errors="replace")
        except ValueError:  # longer than the limit: what was read of it is gone
            return "(a line too long to show)\n"

    async def _end(self) -> None:
        """Close its stdin, which ends it; after a while kill what is left of its process group."""
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
            # Also for whatever it has started itself, and also when we are cancelled while we wait.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            self._process = None
        await process.wait()


def _announced(line: str) -> dict[str, str]:
    """What a line announces: {"progress": stage}, {"ready": address}, or nothing for ordinary output."""
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


# What follows runs in the child.


async def run(
    host: str, port: int, *, token: str | None, llm_url: str | None, child: bool = False, **behaviour: Any
) -> None:
    """The engine in this process until it is cancelled; as a child it announces itself and ends with its stdin."""
    if child:
        await run_as_child(host, port, token, llm_url, **behaviour)
    else:
        tell: dict[str, Any] = {"on_ready": _say_ready, "on_progress": _say}
        await serve(host, port, token=token, llm_url=llm_url, **tell, **behaviour)


async def run_as_child(host: str, port: int, token: str | None, llm_url: str | None, **behaviour: Any) -> None:
    """Serve, announce in JSON lines, and return when stdin ends."""

    def ready(url: str) -> None:
        announce(ready=url)

    def progress(stage: str) -> None:
        announce(progress=stage)

    work = serve(host, port, token=token, llm_url=llm_url, on_ready=ready, on_progress=progress, **behaviour)
    await until_stdin_ends(work)


def announce(**fact: str) -> None:
    """Tell the parent: `progress=` a stage, or `ready=` the address."""
    print(json.dumps(fact), flush=True)


async def until_stdin_ends(work: Coroutine[Any, Any, None]) -> None:
    """Do the work until our parent closes our stdin or dies; raises what the work raises."""
    ended = asyncio.Event()
    threading.Thread(target=_watch_stdin, args=(asyncio.get_running_loop(), ended), name="stdin", daemon=True).start()
    working, waiting = asyncio.create_task(work), asyncio.create_task(ended.wait())
    try:
        await asyncio.wait([working, waiting], return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        waiting.cancel()
        working.cancel()
        await asyncio.wait([working, waiting])


def _watch_stdin(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    # os.read: a thread inside sys.stdin would hold a lock that the interpreter wants at its end.
    while os.read(0, 4096):
        pass
    with suppress(RuntimeError):  # the loop is closed already
        loop.call_soon_threadsafe(ended.set)
    time.sleep(GRACE_SECONDS)
    os._exit(1)  # something does not let go, a model that loads for instance


def _say(stage: str) -> None:
    print(f"{stage} ...", file=sys.stderr, flush=True)


def _say_ready(url: str) -> None:
    print(f"The local engine answers at {url}", flush=True)
