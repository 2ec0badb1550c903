"""Starts a server with the local engine as a child process on a free port, for `demo` and bench/."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from cli.entrance import Entrance
from cli.options import declared

LISTENING = re.compile(rb"listening on http://(\S+?),")
START_SECONDS = 120.0
STOP_SECONDS = 20.0
HIDDEN = {"OPENAI_API_KEY", "UPSTREAM_URL", "UPSTREAM_API_KEY", "PORT", "HOST"}
HIDDEN |= {one.variable for one in declared(Entrance)}  # it is open: who starts it has no token


@dataclass(frozen=True, slots=True)
class Serving:
    """A running server: its URL for calls, and its process id."""

    url: str
    pid: int


@asynccontextmanager
async def serving() -> AsyncIterator[Serving]:
    """Serve while the context is open. Raises OSError or TimeoutError if the server does not start."""
    environment = {name: value for name, value in os.environ.items() if name not in HIDDEN}
    command = [sys.executable, "-m", "supervisor", "serve", "--port", "0"]
    server = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE, env=environment)
    assert server.stderr
    try:
        async with asyncio.timeout(START_SECONDS):
            address = await _address(server.stderr)
        reading = asyncio.create_task(server.stderr.read(), name="read the server's log")
        yield Serving(f"ws://{address}", server.pid)
    finally:
        if server.returncode is None:
            server.terminate()
        async with asyncio.timeout(STOP_SECONDS):
            await server.wait()
    await reading


async def _address(log: asyncio.StreamReader) -> str:
    output = b""
    while line := await log.readline():
        if found := LISTENING.search(line):
            return found[1].decode()
        output += line
    raise OSError(f"the server did not start: {output.decode(errors='replace')}")
