"""Put the parts of a server together, serve until told to stop, then let go of everything in reverse."""

import asyncio
import ctypes
import gc
import logging
import secrets
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp.http_exceptions import HttpProcessingError
from rich.console import Console

from actors.counters import Counters
from actors.runtime import Down, Hired, Stop, Watchdog, launch
from actors.services import Services
from audio import Pool
from cli.ending import end_within
from cli.failure import CannotServe
from cli.follow import following, read
from cli.handles import raise_limit, room_for_callers
from cli.settings import OPENAI, Settings
from engine.child import COMMAND, Child, EngineFailed
from personas import CurrentCatalogue
from realtime.client.requests import TRANSCRIBER
from supervisor import DRAIN_SECONDS, SupervisorActor, SupervisorInbox
from upstream.link import Upstream
from upstream.models import named
from upstream.readiness import Readiness
from web import application, serving
from web.addresses import Addresses
from web.crowd import PLENTY, Crowd
from web.guard import refuse_strangers
from web.metrics import Metrics
from web.patience import PATIENCE, Patience
from web.rest import Rest
from web.shares import each_their_share

log = logging.getLogger("serve")

# Objects more than at the last look before the youngest are looked at, and looks at one generation before the next
# older one. Python's own are 700, 10, 10. A call leaves 60 objects in cycles: all are looked at every 4,000 calls.
GC_THRESHOLDS = (5_000, 10, 5)

# Blocks of so many bytes are given back to the system when they are freed. glibc raises that by itself to 32 MiB, and
# then one small block that lives on above many large ones keeps them all: 420 MB, when 30 callers had sent 2 GB.
LARGE_BLOCK = 128 * 1024
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # as malloc.h has them

GRACE_SECONDS = 2.0  # for the loop and its threads to end, once every call has


def is_ours(record: logging.LogRecord) -> bool:
    """A request that is no HTTP is answered with 400: one line from outside must not write thirty of a traceback."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


def run(settings: Settings, counters: Counters, console: Console) -> int:
    """Serve until told to stop; returns the exit code. Raises CannotServe."""
    try:
        import uvloop
    except ImportError:  # no wheel for this platform: the loop of the standard library does
        return asyncio.run(_to_the_end(settings, counters, console))
    return uvloop.run(_to_the_end(settings, counters, console))


async def _to_the_end(settings: Settings, counters: Counters, console: Console) -> int:
    code = await _serve(settings, counters, console)
    end_within(GRACE_SECONDS, code)
    return code


class Ending:
    """A Ref that hears of the supervisor's end, or of a signal to bring it about."""

    def __init__(self) -> None:
        self.down: asyncio.Future[Down] = asyncio.get_running_loop().create_future()
        self.asked = asyncio.Event()

    def tell(self, message: Down, /) -> None:
        self.down.set_result(message)
        self.asked.set()


async def _serve(settings: Settings, counters: Counters, console: Console) -> int:
    room = room_for_callers(raise_limit(), settings.limits.sessions)
    raw, catalogue = read(settings.personas)
    current, tls = CurrentCatalogue(catalogue), _tls(settings.tls_cert, settings.tls_key)
    listener = bind(settings.host, settings.port)
    async with AsyncExitStack() as stack:
        stack.callback(listener.close)
        upstream = await _upstream(settings, stack, console)
        with console.status("starting the decoders"):
            pool = Pool()
            stack.push_async_callback(pool.close)
            await pool.warm()
        services = Services(current, upstream, pool, settings.limits, counters)
        settle_memory()
        stack.callback(Watchdog(services.counters.late).stop)
        await stack.enter_async_context(following(settings.personas, raw, current))
        ending = Ending()
        _on_signals(ending.asked)  # before anybody is told that we serve: they may stop us at once
        name = "local engine" if settings.local else upstream.host
        door = Doors(listener, tls, settings.allow_host, settings.allow_origin, addresses=settings.addresses, most=room)
        answers = Readiness(upstream).would_answer
        _, address = await stack.enter_async_context(open_doors(door, services, name, answers, ending))
        scheme = "https" if tls else "http"
        log.info("listening on %s://%s, answered by %s, %d personas", scheme, address, name, len(catalogue.active()))
        await ending.asked.wait()
    failed = not ending.down.done() or ending.down.result().cause is not None
    log.info("stopped%s", " after a failure" if failed else "")
    return 1 if failed else 0


@dataclass(frozen=True, slots=True)
class Doors:
    """Where callers come in: a socket that is bound, and who is let in besides our own, and with how much patience."""

    listener: socket.socket
    tls: ssl.SSLContext | None = None
    hosts: Collection[str] = ()
    origins: Collection[str] = ()
    patience: Patience = PATIENCE
    addresses: Addresses = field(default_factory=Addresses)
    most: int = PLENTY
    """Connections at once."""


@asynccontextmanager
async def open_doors(
    doors: Doors, services: Services, name: str, would_answer: Callable[[], Awaitable[bool]], ending: Ending
) -> AsyncIterator[tuple[Hired[SupervisorInbox], str]]:
    """Let callers in: the supervisor, and HOST:PORT. At the end calls are drained, and `ending` hears of the last.

    `name` says who answers, and `would_answer` whether they would.
    """
    supervisor = launch(SupervisorActor(services), ending)
    rest = Rest(supervisor, services.current, name, would_answer, doors.patience)
    metrics = Metrics(services.counters, services.pool, services.waiting)
    crowd = Crowd(services.limits, services.counters.address_refused, doors.addresses, doors.most)
    guards = [each_their_share(crowd), refuse_strangers(doors.hosts, doors.origins)]
    app = application(rest, supervisor, metrics, guards, doors.patience)
    async with serving(app, doors.listener, crowd, doors.tls, doors.patience) as address:
        try:
            yield supervisor, address
        finally:
            supervisor.tell(Stop())
            await asyncio.wait([ending.down], timeout=DRAIN_SECONDS + 2)


def settle_memory() -> None:
    """What is loaded by now stays, so the garbage collector need not look at it: a full look took 148 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    give_memory_back()


def give_memory_back() -> None:
    """Have the memory of large blocks go back to the system, where the C library can be told so."""
    with suppress(OSError, AttributeError):
        allocator = ctypes.CDLL(None).mallopt
        allocator(M_MMAP_THRESHOLD, LARGE_BLOCK)
        allocator(M_TRIM_THRESHOLD, 2 * LARGE_BLOCK)


def _tls(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """What shows callers' browsers who we are; None without a certificate."""
    if cert is None:
        if key:
            raise CannotServe("A key alone shows nobody who we are: set --tls-cert too.", 2)
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(cert, key, password="")  # an empty password: fail rather than ask for one
    except ssl.SSLError:
        pair = f"{cert} and {key}" if key else f"{cert}"
        raise CannotServe(f"{pair}: no PEM of a certificate and its key without a password.", 2) from None
    return context


def bind(host: str, port: int) -> socket.socket:
    """Take the port before anything is loaded; callers are let in later."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with ExitStack() as failing:
            listener = failing.enter_context(socket.socket(family, kind, number))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            failing.pop_all()
    except OSError as error:
        reason = error.strerror or error
        raise CannotServe(f"Cannot listen on {host}:{port} ({reason}): set --host or --port.") from None
    return listener


def _on_signals(asked: asyncio.Event) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)


async def _upstream(settings: Settings, stack: AsyncExitStack, console: Console) -> Upstream:
    """Where calls are answered."""
    if settings.local:
        return await _local_engine(settings, stack, console)
    url = settings.upstream_url or OPENAI
    key = settings.upstream_api_key if settings.upstream_url else settings.openai_api_key
    tls = ssl.create_default_context() if url.startswith("wss:") else None
    upstream = Upstream(url, settings.model, key, tls, session_seconds=settings.session_seconds)
    for model in (upstream.record, named(TRANSCRIBER)):
        for doubt in model.doubts:
            log.warning("%s", doubt)
    return upstream


async def _local_engine(settings: Settings, stack: AsyncExitStack, console: Console) -> Upstream:
    """The engine as a child process of ours, behind a token that nobody else knows."""
    token = secrets.token_urlsafe(24)
    options = ("--engine-workers", str(settings.engine_workers), "--engine-wait", str(settings.engine_wait))
    engine = Child(token, llm_url=settings.local_llm_url, command=(*COMMAND, *options))
    with console.status("starting the local engine") as status:
        stack.push_async_callback(engine.stop)

        def show(stage: str) -> None:
            status.update(f"the local engine: {stage}")
            if not console.is_terminal:
                log.info("the local engine: %s", stage)

        try:
            url = await engine.start(show)
        except EngineFailed as failure:
            raise CannotServe(f"The local engine did not start: {failure}") from None
    return Upstream(url, settings.model, token, session_seconds=settings.session_seconds)
