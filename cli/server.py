"""Assembles a server, serves until it is stopped, and releases everything in reverse order."""

import asyncio
import logging
import secrets
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from aiohttp.http_exceptions import HttpProcessingError
from rich.console import Console

from actors.budgets.sums import Memory
from actors.caring.judging import Judge
from actors.counters import Counters
from actors.fleet.telling import telling
from actors.messages.admission import Drain
from actors.runtime import Hired, Stop, Watchdog, launch
from actors.services import Services
from audio import Pool
from cage import user_named
from cli.budget_file import keeping
from cli.checks import check, warn_of_minors
from cli.entrance import entrance
from cli.eyes import view
from cli.failure import CannotServe
from cli.file_descriptors import raise_limit, room_for_callers
from cli.fleet_member import in_turn, registered
from cli.forced_exit import exit_within
from cli.judge import judging
from cli.listening import cannot_listen
from cli.memory import Trimmer, freeze_memory
from cli.privacy import check_key, log_name, pseudonyms
from cli.reload import read, reloading, warn_of_languages
from cli.seat import Alone, Seat, Shores
from cli.settings import OPENAI, Settings
from cli.shutdown import Shutdown
from cli.traces import tracing
from engine.child import COMMAND, Child, EngineFailed
from engine.installed import NotInstalled, check_installed
from personas import CurrentCatalogue
from realtime.client.requests import TRANSCRIBER
from register import Register
from supervisor import STOP_SECONDS, SupervisorActor, SupervisorInbox
from tracing.port import Tracer
from upstream.link import Upstream
from upstream.models import LOCAL, named
from upstream.readiness import Readiness
from web import application, serving
from web.addresses import Addresses
from web.admin import AdminShore, admin_serving
from web.auth import OPEN, Auth
from web.client_limits import CLIENT_LIMITS, ClientLimits
from web.connections import UNLIMITED, Connections
from web.cors import answer_preflights
from web.endpoint import GATE
from web.guard import check_host_and_origin, mark_origin
from web.metrics import Metrics
from web.refused_handshakes import RefusedHandshakes, trace_refused_handshakes
from web.request_scheduler import SCHEDULER
from web.rest import Rest
from web.spread import spread_calls
from web.throttle import limit_addresses

log = logging.getLogger("serve")

GRACE_SECONDS = 2.0  # for the loop and its threads to end, after every call has ended


def is_ours(record: logging.LogRecord) -> bool:
    """A log filter: False for a request that is no valid HTTP, so that no client can fill the log with tracebacks."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


def run(settings: Settings, counters: Counters, console: Console, seat: Seat | None = None) -> int:
    """Serve until a signal or the supervisor's end; returns the exit code. Raises CannotServe."""
    serving = _serve_and_exit(settings, counters, console, seat or Alone())
    try:
        import uvloop
    except ImportError:  # no wheel for this platform: use asyncio's own loop
        return asyncio.run(serving)
    return uvloop.run(serving)


async def _serve_and_exit(settings: Settings, counters: Counters, console: Console, seat: Seat) -> int:
    code = await _serve(settings, counters, console, seat)
    exit_within(GRACE_SECONDS, code)
    return code


async def _serve(settings: Settings, counters: Counters, console: Console, seat: Seat) -> int:
    room = room_for_callers(raise_limit(), settings.limits.sessions)
    if settings.local:
        check_engine()
    raw, catalogue = read(settings.personas)
    check(settings, catalogue)
    current, shores = CurrentCatalogue(catalogue), seat.take(settings)
    async with AsyncExitStack() as stack:
        stack.callback(seat.leave, shores)
        register = await stack.enter_async_context(registered(settings.fleet))
        who = entrance(settings.entrance, shores.callers, current, shores.addresses, register)
        auth = await stack.enter_async_context(who)
        upstream = in_turn(await _upstream(settings, stack, console), register, settings.fleet)
        with console.status("starting the decoders"):
            pool = Pool(user=user_named(settings.decoder_user))
            stack.push_async_callback(pool.close)
            await pool.warm()
        sums = Memory()
        await stack.enter_async_context(keeping(settings.budget_file, sums))
        tracer = stack.enter_context(tracing(settings.traces))
        judge = await stack.enter_async_context(judging(settings.judge, counters))
        services = _services(settings, current, upstream, pool, counters, sums, register, tracer, judge)
        await stack.enter_async_context(telling(register, services.fleet_sums, services.spending))
        freeze_memory()
        stack.callback(Watchdog(services.counters.late).stop)
        stack.callback(Trimmer().stop)
        await stack.enter_async_context(reloading(settings.personas, raw, current, upstream.can.languages))
        shutdown = Shutdown()
        seat.attend(shutdown, settings)  # before the log line "listening": who reads it may stop the server at once
        warn_of_languages(settings.personas, catalogue, upstream.can.languages, raw)
        warn_of_minors(catalogue)
        name = "local engine" if upstream.model == LOCAL else upstream.host
        frontend = _frontend(settings, shores, room, auth)
        try:
            supervisor, _ = await stack.enter_async_context(
                accept_callers(frontend, services, name, Readiness(upstream).would_answer, shutdown)
            )
        except OSError as error:  # another server was bound there too, and began to listen first
            raise cannot_listen(settings.host, settings.port, error) from None
        seat.serving(shores)
        log.info("listening on %s, answered by %s, %d personas", shores.url, name, len(catalogue.active()))
        await shutdown.requested.wait()
        supervisor.tell(Drain(shutdown.within))
        await shutdown.at_once.wait()
    return shutdown.exit_code()


@dataclass(frozen=True, slots=True)
class Frontend:
    """The bound socket, and the rules for its connections; `hosts` and `origins` are allowed besides our own."""

    listener: socket.socket
    tls: ssl.SSLContext | None = None
    hosts: Collection[str] = ()
    origins: Collection[str] = ()
    client_limits: ClientLimits = CLIENT_LIMITS
    addresses: Addresses = field(default_factory=Addresses)
    most: int = UNLIMITED
    """Connections that may be open at once."""
    admin: AdminShore | None = None
    auth: Auth = OPEN


def _frontend(settings: Settings, shores: Shores, most: int, auth: Auth) -> Frontend:
    return Frontend(
        shores.callers,
        shores.tls,
        settings.allow_host,
        settings.allow_origin,
        addresses=shores.addresses,
        most=most,
        admin=shores.admin,
        auth=auth,
    )


@asynccontextmanager
async def accept_callers(
    frontend: Frontend, services: Services, name: str, would_answer: Callable[[], Awaitable[bool]], shutdown: Shutdown
) -> AsyncIterator[tuple[Hired[SupervisorInbox], str]]:
    """Accept callers; yields the supervisor, and HOST:PORT. At the end calls are stopped.

    `name` is the name of the model's server, `would_answer` is true if it would answer a call now. `shutdown` receives
    the supervisor's `Down`.
    """
    supervisor = launch(SupervisorActor(services), shutdown)
    rest = Rest(supervisor, services.current, name, would_answer, frontend.client_limits, frontend.auth.closed)
    metrics = Metrics(services.counters, services.pool, services.waiting, services.spending, services.register)
    connections = Connections(services.limits, services.counters.address_refused, frontend.addresses, frontend.most)
    refused = RefusedHandshakes(services.counters.handshakes_refused)
    guards = [
        mark_origin(frontend.hosts, frontend.origins),
        limit_addresses(connections),
        trace_refused_handshakes(refused),
        check_host_and_origin(frontend.hosts, frontend.origins),
        answer_preflights,
        spread_calls(services.limits.connects),
    ]
    app = application(rest, supervisor, metrics, guards, frontend.client_limits, frontend.auth)
    app[GATE] = services.gate
    async with AsyncExitStack() as stack:
        if frontend.admin:
            admins = Connections(services.limits, services.counters.address_refused, frontend.addresses)
            shown, turns = view(supervisor, services, shutdown, frontend.admin), app[SCHEDULER]
            shore = admin_serving(frontend.admin, metrics, admins, turns, frontend.client_limits, shown)
            try:
                await stack.enter_async_context(shore)
            except OSError as error:  # as below: another server listens there by now
                host, port = frontend.admin.listener.getsockname()[:2]
                raise cannot_listen(host, port, error, "admin-") from None
        limits = frontend.client_limits
        address = await stack.enter_async_context(serving(app, frontend.listener, connections, frontend.tls, limits))
        try:
            yield supervisor, address
        finally:
            supervisor.tell(Stop())
            await asyncio.wait([shutdown.down], timeout=STOP_SECONDS + 2)


def _services(
    settings: Settings,
    current: CurrentCatalogue,
    upstream: Upstream,
    pool: Pool,
    counters: Counters,
    sums: Memory,
    register: Register | None,
    tracer: Tracer | None,
    judge: Judge | None,
) -> Services:
    return Services(
        current,
        upstream,
        pool,
        settings.limits,
        counters,
        default_astrologer=settings.default_astrologer,
        log_name=log_name(settings.privacy, upstream.pseudonyms),
        pseudonym=upstream.pseudonyms.log,
        tracer=tracer,
        budgets=settings.budgets,
        sums=sums,
        caring=settings.caring,
        judge=judge,
        register=register,
        node=settings.fleet.node,
        register_words=not settings.fleet.register_without_words,
    )


def check_engine() -> None:
    """Raise CannotServe if the local engine is to answer, and is not installed."""
    try:
        check_installed()
    except NotInstalled as missing:
        other = "To have another model answer, set OPENAI_API_KEY or --upstream-url."
        raise CannotServe(f"{missing}\n{other}", 2) from None


async def _upstream(settings: Settings, stack: AsyncExitStack, console: Console) -> Upstream:
    """The server of the model; starts the local engine if that is to answer. Raises CannotServe."""
    if settings.local:
        return await local_engine(settings, stack, console)
    url = settings.upstream_url or OPENAI
    key = settings.upstream_api_key if settings.upstream_url else settings.openai_api_key
    check_key(url, key)
    tls, names = ssl.create_default_context() if url.startswith("wss:") else None, pseudonyms(settings.privacy)
    upstream = Upstream(url, settings.model, key, tls, session_seconds=settings.session_seconds, pseudonyms=names)
    for model in (upstream.record, named(TRANSCRIBER)):
        for doubt in model.doubts:
            log.warning("%s", doubt)
    return upstream


async def local_engine(settings: Settings, stack: AsyncExitStack, console: Console) -> Upstream:
    """The local engine as a child process, which only accepts a random token. Raises CannotServe."""
    token, names = secrets.token_urlsafe(24), pseudonyms(settings.privacy)
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
    return Upstream(url, LOCAL, token, session_seconds=settings.session_seconds, pseudonyms=names)
