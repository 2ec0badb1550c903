"""`serve`: put the parts together, serve until told to stop, then let go of everything in reverse."""

import asyncio
import gc
import logging
import os
import secrets
import signal
import socket
import ssl
from contextlib import AsyncExitStack, ExitStack
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from rich.console import Console

from actors.base import Down, Stop, launch
from actors.equipment import Equipment, Limits
from actors.watch import Watchdog
from audio import Pool
from cli.catalogue import following, read
from cli.ending import end_within
from cli.failure import CannotServe
from cli.log import Log
from cli.settings import MODEL, OPENAI, Settings
from personas import SHIPPED, Shelf
from realtime.link import Upstream, check_url
from realtime.local.child import Child, EngineFailed
from realtime.models import named
from realtime.readiness import Readiness
from realtime.requests import TRANSCRIBER
from supervisor import DRAIN_SECONDS, SupervisorActor
from web import application, runner
from web.metrics import Metrics
from web.rest import Rest

log = logging.getLogger("serve")

limits = Limits()

# Objects more than at the last look before the youngest are looked at, and looks at one generation before the next
# older one. Python's own are 700, 10, 10. A call leaves 60 objects in cycles: all are looked at every 4,000 calls.
GC_THRESHOLDS = (5_000, 10, 5)

GRACE_SECONDS = 2.0  # for the loop and its threads to end, once every call has


class LogLevel(Enum):
    """How much is written down."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


def websocket_address(value: str | None) -> str | None:
    """Refuse an upstream that can never be dialled."""
    try:
        return check_url(value) if value else None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def serve(
    host: Annotated[str, typer.Option(envvar="HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="PORT", min=0, max=65535, help="0 takes a free one.")] = 8000,
    tls_cert: Annotated[
        Path | None,
        typer.Option(envvar="TLS_CERT", exists=True, dir_okay=False, help="Certificate (PEM): serve https and wss."),
    ] = None,
    tls_key: Annotated[
        Path | None,
        typer.Option(
            envvar="TLS_KEY", exists=True, dir_okay=False, help="Its private key (PEM), when not in the same file."
        ),
    ] = None,
    upstream_url: Annotated[
        str | None,
        typer.Option(envvar="UPSTREAM_URL", callback=websocket_address, help="Realtime WebSocket URL of the model."),
    ] = None,
    model: Annotated[str, typer.Option(envvar="UPSTREAM_MODEL", help="Realtime model.")] = MODEL,
    session_seconds: Annotated[
        float | None,
        typer.Option(envvar="SESSION_SECONDS", min=60, help="The model's sessions last so long (Azure: 1800)."),
    ] = None,
    personas: Annotated[Path, typer.Option(envvar="PERSONAS_FILE", help="File of personas.")] = SHIPPED,
    local_llm_url: Annotated[
        str | None, typer.Option(envvar="LOCAL_LLM_URL", help="OpenAI-compatible chat server for the local engine.")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(envvar="ALLOW_HOST", help="Host name by which this server may be called.")
    ] = None,
    allow_origin: Annotated[
        list[str] | None, typer.Option(envvar="ALLOW_ORIGIN", help="Origin whose pages may call.")
    ] = None,
    idle_seconds: Annotated[float, typer.Option(envvar="IDLE_SECONDS", min=1)] = limits.idle_seconds,
    call_seconds: Annotated[float, typer.Option(envvar="CALL_SECONDS", min=1)] = limits.call_seconds,
    bad_messages: Annotated[int, typer.Option(envvar="BAD_MESSAGES", min=1, help="A minute.")] = limits.bad_messages,
    messages: Annotated[float, typer.Option(envvar="MESSAGES", min=1, help="A second.")] = limits.messages,
    sessions: Annotated[int, typer.Option(envvar="SESSIONS", min=1, help="At the same time.")] = limits.sessions,
    connects: Annotated[int, typer.Option(envvar="CONNECTS", min=1, help="A second.")] = limits.connects,
    calls: Annotated[int, typer.Option(envvar="CALLS", min=1, help="Of one user, in 10 s.")] = limits.calls,
    takeovers: Annotated[int, typer.Option(envvar="TAKEOVERS", min=1, help="In 10 s.")] = limits.takeovers,
    switches: Annotated[int, typer.Option(envvar="SWITCHES", min=1, help="Of one caller, a minute.")] = limits.switches,
    log_level: Annotated[LogLevel, typer.Option(envvar="LOG_LEVEL", case_sensitive=False)] = LogLevel.INFO,
) -> None:
    """Serve callers until stopped (the default command).

    With an upstream URL that answers; without one OpenAI does if OPENAI_API_KEY is set, else the local engine. Keys
    come from the environment only: OPENAI_API_KEY is sent to OpenAI and nobody else, UPSTREAM_API_KEY to the URL.
    """
    logging.basicConfig(level=log_level.value, handlers=[Log()])
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    settings = Settings(
        host=host,
        port=port,
        tls_cert=tls_cert,
        tls_key=tls_key,
        upstream_url=upstream_url,
        model=model,
        personas=personas,
        openai_api_key=os.environ.get("OPENAI_API_KEY", ""),
        upstream_api_key=os.environ.get("UPSTREAM_API_KEY", ""),
        llm_url=local_llm_url,
        hosts=tuple(allow_host or ()),
        origins=tuple(allow_origin or ()),
        limits=Limits(
            idle_seconds, call_seconds, bad_messages, messages, sessions, connects, calls, takeovers, switches
        ),
        session_seconds=session_seconds,
    )
    try:
        raise typer.Exit(_run(settings))
    except CannotServe as reason:
        Console(stderr=True).print(str(reason), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(reason.code) from None


def _is_ours(record: logging.LogRecord) -> bool:
    """A request that is no HTTP is answered with 400: one line from outside must not write thirty of a traceback."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


def _run(settings: Settings) -> int:
    try:
        import uvloop
    except ImportError:  # no wheel for this platform: the loop of the standard library does
        return asyncio.run(_to_the_end(settings))
    return uvloop.run(_to_the_end(settings))


async def _to_the_end(settings: Settings) -> int:
    code = await _serve(settings)
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


async def _serve(settings: Settings) -> int:
    raw, catalogue = read(settings.personas)
    shelf = Shelf(catalogue)
    tls = _tls(settings.tls_cert, settings.tls_key)
    listener = _bind(settings.host, settings.port)
    console, ending = Console(stderr=True), Ending()
    async with AsyncExitStack() as stack:
        stack.callback(listener.close)
        upstream = await _upstream(settings, stack, console)
        with console.status("starting the decoders"):
            pool = Pool()
            stack.push_async_callback(pool.close)
            await pool.warm()
        equipment = Equipment(shelf, upstream, pool, settings.limits)
        supervisor = launch(SupervisorActor(equipment), ending)
        name = "local engine" if settings.local else upstream.host
        rest = Rest(supervisor, shelf, name, Readiness(upstream).would_answer)
        metrics = Metrics(equipment.figures, pool)
        app = application(rest, supervisor, metrics, settings.hosts, settings.origins)
        settle_memory()
        stack.callback(Watchdog(equipment.figures.late).stop)
        await stack.enter_async_context(following(settings.personas, raw, shelf))
        _on_signals(ending.asked)  # before anybody is told that we serve: they may stop us at once
        address = await _open(app, listener, tls, stack)
        log.info("listening on %s, answered by %s, %d personas", address, name, len(catalogue.active()))
        await ending.asked.wait()
        supervisor.tell(Stop())
        await asyncio.wait([ending.down], timeout=DRAIN_SECONDS + 2)
    failed = not ending.down.done() or ending.down.result().cause is not None
    log.info("stopped%s", " after a failure" if failed else "")
    return 1 if failed else 0


def settle_memory() -> None:
    """What is loaded by now stays, so the garbage collector need not look at it: a full look took 148 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


async def _open(
    app: web.Application, listener: socket.socket, tls: ssl.SSLContext | None, stack: AsyncExitStack
) -> str:
    """Let callers in; returns the address."""
    serving = runner(app)
    stack.push_async_callback(serving.cleanup)
    await serving.setup()
    await web.SockSite(serving, listener, ssl_context=tls).start()
    return "{}://{}:{}".format("https" if tls else "http", *serving.addresses[0][:2])


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


def _bind(host: str, port: int) -> socket.socket:
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
    for model in (settings.model, TRANSCRIBER):
        for doubt in named(model).doubts:
            log.warning("%s", doubt)
    url = settings.upstream_url or OPENAI
    key = settings.upstream_api_key if settings.upstream_url else settings.openai_api_key
    tls = ssl.create_default_context() if url.startswith("wss:") else None
    return Upstream(url, settings.model, key, tls, session_seconds=settings.session_seconds)


async def _local_engine(settings: Settings, stack: AsyncExitStack, console: Console) -> Upstream:
    """The engine as a child process of ours, behind a token that nobody else knows."""
    token = secrets.token_urlsafe(24)
    engine = Child(token, llm_url=settings.llm_url)
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
