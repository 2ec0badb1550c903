"""Runs the fleet of one machine: the local engine, the workers, HAProxy; and ends them in the right order."""

import asyncio
import logging
import os
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console

from cage import clean_environment
from cli.entrance import check_entrance
from cli.eyes import say_where
from cli.failure import CannotServe
from cli.file_descriptors import raise_limit
from cli.fleet.front import Front
from cli.fleet.kept import DidNotStart, Kept, Program
from cli.fleet.seat import FOLDER, admin_socket, callers_socket
from cli.fleet.shares import check_shared, of_workers
from cli.listening import cannot_listen
from cli.options import declared, environment
from cli.seat import Alone, Shores
from cli.server import check_engine, local_engine
from cli.settings import OPENAI, Settings
from cli.shutdown import Shutdown
from supervisor import STOP_SECONDS
from upstream.link import Upstream
from web.acceptor import BACKLOG
from web.admin import admin_serving
from web.connections import Connections
from web.gathered import Gathered, Told
from web.live import LiveView
from web.live.workers import Workers
from web.request_scheduler import RequestScheduler

log = logging.getLogger("serve")

LAST_SECONDS = STOP_SECONDS + 12.0  # for a worker to end by itself, once its calls should have ended
FRONT_SECONDS = 2.0  # for HAProxy to send what it has, once nobody is behind it
LONGEST_FOLDER = 60  # characters: the path of a unix socket has at most 107
LOST = ": its calls are lost, and their callers come back to others"
ALL_LOST = ": all calls are lost, and their callers come back"


def run(settings: Settings, workers: int, console: Console) -> int:
    """Serve by so many workers until a signal; returns the exit code. Raises CannotServe."""
    return asyncio.run(_run(settings, workers, console))


async def _run(settings: Settings, workers: int, console: Console) -> int:
    check_shared(settings)
    names = [part.fleet.node for part in of_workers(settings, workers)]
    if settings.local:
        check_engine()
    async with AsyncExitStack() as stack:
        seat = Alone()
        shores = seat.take(settings)
        stack.callback(seat.leave, shores)
        check_entrance(settings.entrance, shores.callers)
        folder = _folder()
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        front = Front(settings, shores, folder, names, raise_limit())
        stack.callback(front.close)
        front.check()
        engine = await local_engine(settings, stack, console) if settings.local else None
        kept = [Kept(_worker(part, folder)) for part in of_workers(settings, workers, engine)]
        balancer = Kept(front.program(ALL_LOST))
        for one in (balancer, *kept):
            stack.push_async_callback(one.close)
        with console.status("starting the workers"):
            await _start(kept[:1])  # what keeps it from starting keeps the others, too
            await _start(kept[1:])
        shores.callers.listen(BACKLOG)  # callers wait here from now on, also while HAProxy starts again
        await _start([balancer])
        shutdown = Shutdown()
        seat.attend(shutdown, settings)
        await stack.enter_async_context(_admin(settings, shores, kept, balancer, folder, shutdown))
        stack.enter_context(_reloading(kept))
        say_where(shores.admin.url)
        name = "local engine" if engine else Upstream(settings.upstream_url or OPENAI, settings.model).host
        log.info("listening on %s, answered by %s, %d workers", shores.url, name, workers)
        await shutdown.requested.wait()
        failed = any(await _drain(kept, shutdown))
        await _let_go(balancer)
    log.info("stopped%s", " after a failure" if failed else "")
    return 1 if failed else 0


def _folder() -> Path:
    """A new folder for sockets, which only this user can enter."""
    folder = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="voice-", dir=folder if len(folder) < LONGEST_FOLDER else "/tmp"))


def _worker(settings: Settings, folder: Path) -> Program:
    """A server process of these settings. No other variable of a setting reaches it."""
    name, known = settings.fleet.node, {one.variable for one in declared(Settings)}
    inherited = {key: value for key, value in os.environ.items() if key not in known}
    said = inherited | clean_environment() | environment(settings) | {FOLDER: str(folder)}
    command = [sys.executable, "-m", "supervisor", "serve"]
    return Program(name, command, callers_socket(folder, name), said, loss=LOST, asked=admin_socket(folder, name))


async def _start(programs: Sequence[Kept]) -> None:
    """Start some at once. Raises CannotServe."""
    for outcome in await asyncio.gather(*(one.start() for one in programs), return_exceptions=True):
        match outcome:
            case DidNotStart():
                raise CannotServe(str(outcome), max(1, outcome.code))
            case TimeoutError() | OSError():
                raise CannotServe(f"A process could not be started: {outcome or 'it took too long'}.")
            case BaseException():
                raise outcome


@asynccontextmanager
async def _admin(
    settings: Settings, shores: Shores, workers: Sequence[Kept], balancer: Kept, folder: Path, shutdown: Shutdown
) -> AsyncIterator[None]:
    """Serve the figures and the calls of all while the context is open. Raises CannotServe."""
    sockets = {one.program.name: admin_socket(folder, one.program.name) for one in workers}
    told = [_told(one, sockets[one.program.name]) for one in workers]
    told += [_told(balancer), Told("parent", os.getpid)]
    eyes = Workers(sockets, settings.limits.sessions, shutdown.requested.is_set, shutdown.drain)
    view = LiveView(eyes, shores.admin.token)
    connections, figures = Connections(settings.limits, Counter(), settings.addresses), Gathered(told)
    try:
        async with admin_serving(shores.admin, figures, connections, RequestScheduler(), view=view):
            yield
    except OSError as error:  # another server listens there by now
        raise cannot_listen(settings.admin_host, settings.admin_port, error, "admin-") from None


def _told(one: Kept, socket: Path | None = None) -> Told:
    return Told(one.program.name, lambda: one.pid, lambda: one.restarts, socket)


@contextmanager
def _reloading(workers: Sequence[Kept]) -> Iterator[None]:
    """While the context is open, SIGHUP has each worker read the file of personas."""
    loop = asyncio.get_running_loop()

    def reload() -> None:
        for one in workers:
            one.send(signal.SIGHUP)

    loop.add_signal_handler(signal.SIGHUP, reload)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


async def _drain(workers: Sequence[Kept], shutdown: Shutdown) -> list[int]:
    """Let the calls of all end, or end them at once where that is asked; returns the exit codes."""
    log.info("ending %d workers within %.0f s", len(workers), shutdown.within)
    serving = [one for one in workers if one.up]
    for one in workers:
        one.end()
        one.tell(f"{shutdown.within}")
    over = asyncio.ensure_future(asyncio.gather(*(one.over() for one in serving)))
    at_once = asyncio.ensure_future(shutdown.at_once.wait())
    ends: list[asyncio.Future[Any]] = [over, at_once]
    await asyncio.wait(ends, timeout=shutdown.within + LAST_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    at_once.cancel()
    for one in serving:
        one.tell("0")
    await asyncio.wait([over], timeout=LAST_SECONDS)
    for one in serving:
        if one.up:
            log.error("%s did not end and is killed", one.program.name)
            one.kill()
    return await over


async def _let_go(balancer: Kept) -> None:
    """End HAProxy, once it has sent what waits."""
    balancer.end()
    balancer.send(signal.SIGUSR1)
    with suppress(TimeoutError):
        await asyncio.wait_for(balancer.over(), FRONT_SECONDS)
