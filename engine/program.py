"""The engine as a program: in the foreground for people, or as a child process of the server (see child.py).

As a child it announces its progress and its address in JSON lines on stdout, and ends as soon as stdin is closed,
which also happens when the parent dies.
"""

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from engine import serve

GRACE_SECONDS = 2.0  # after stdin is closed, until the process exits without cleaning up


async def run(
    host: str,
    port: int,
    *,
    token: str | None,
    llm_url: str | None,
    child: bool = False,
    on_ready: Callable[[str], None] | None = None,
    **behaviour: Any,
) -> None:
    """Run the engine in this process until cancelled; with `child`, until stdin is closed. Raises as `serve`.

    Alone it calls `on_ready` with its address, or else prints it.
    """
    if child:
        await run_as_child(host, port, token, llm_url, **behaviour)
    else:
        callbacks: dict[str, Any] = {"on_ready": on_ready or print_ready, "on_progress": _print_progress}
        await serve(host, port, token=token, llm_url=llm_url, **callbacks, **behaviour)


async def run_as_child(host: str, port: int, token: str | None, llm_url: str | None, **behaviour: Any) -> None:
    """Run the engine, announce its state on stdout, and return when stdin is closed."""

    def ready(url: str) -> None:
        announce(ready=url)

    def progress(stage: str) -> None:
        announce(progress=stage)

    work = serve(host, port, token=token, llm_url=llm_url, on_ready=ready, on_progress=progress, **behaviour)
    await until_stdin_ends(work)


def announce(**fact: str) -> None:
    """Send the parent one fact: `progress=` a stage, or `ready=` the address."""
    print(json.dumps(fact), flush=True)


async def until_stdin_ends(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine until it ends, or the parent closes stdin or dies. Raises what the coroutine raises."""
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
    # os.read, because a thread within sys.stdin.read holds a lock that the interpreter needs at exit.
    while os.read(0, 4096):
        pass
    with suppress(RuntimeError):  # the loop is closed already
        loop.call_soon_threadsafe(ended.set)
    time.sleep(GRACE_SECONDS)
    os._exit(1)  # something did not end in time, e.g. a model that is being loaded


def _print_progress(stage: str) -> None:
    print(f"{stage} ...", file=sys.stderr, flush=True)


def print_ready(url: str) -> None:
    """Say where the engine is."""
    print(f"The local engine answers at {url}", flush=True)
