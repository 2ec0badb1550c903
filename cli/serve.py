"""`serve`: the options, each of which can be set in the environment too."""

import logging
import os
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from actors.counters import Counters
from actors.services import Limits
from cli.engine import EngineWait, EngineWorkers
from cli.failure import CannotServe
from cli.log import Log
from cli.server import is_ours, run
from cli.settings import MODEL, EngineOptions, Settings
from cli.stderr import read_into_the_log
from engine import WAIT, WORKERS
from personas import SHIPPED
from upstream.link import check_url
from web.addresses import LOOPBACK, OURSELVES, Addresses, network
from web.names import host_to_allow, origin_to_allow

limits = Limits()


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


def possible(read: Callable[[str], str]) -> Callable[[list[str] | None], list[str]]:
    """Take values as `read` writes them; refuse those that can never be met, at which it raises ValueError."""

    def check(values: list[str] | None) -> list[str]:
        try:
            return [read(value) for value in values or ()]
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return check


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
    engine_workers: EngineWorkers = WORKERS,
    engine_wait: EngineWait = WAIT,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            envvar="ALLOW_HOST", callback=possible(host_to_allow), help="Host name by which this server may be called."
        ),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(envvar="ALLOW_ORIGIN", callback=possible(origin_to_allow), help="Origin whose pages may call."),
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(
            envvar="TRUSTED_PROXY", callback=possible(network), help="Network of proxies that say who calls: a CIDR."
        ),
    ] = None,
    limit_loopback: Annotated[
        bool,
        typer.Option(
            "--limit-loopback", envvar="LIMIT_LOOPBACK", help="Take 127.0.0.2 and the like for strangers, not for us."
        ),
    ] = False,
    address_connections: Annotated[
        int, typer.Option(envvar="ADDRESS_CONNECTIONS", min=1, help="Of one address, open at once.")
    ] = limits.address_connections,
    address_connects: Annotated[
        int, typer.Option(envvar="ADDRESS_CONNECTS", min=1, help="Connections or calls of one address, a second.")
    ] = limits.address_connects,
    address_questions: Annotated[
        int, typer.Option(envvar="ADDRESS_QUESTIONS", min=1, help="To REST, of one address, a second.")
    ] = limits.address_questions,
    address_messages: Annotated[
        int, typer.Option(envvar="ADDRESS_MESSAGES", min=200, help="In calls of one address, a second.")
    ] = limits.address_messages,
    idle_seconds: Annotated[float, typer.Option(envvar="IDLE_SECONDS", min=1)] = limits.idle_seconds,
    choose_seconds: Annotated[
        float, typer.Option(envvar="CHOOSE_SECONDS", min=1, help="In which somebody is to be chosen.")
    ] = limits.choose_seconds,
    upstream_patience: Annotated[
        float, typer.Option(envvar="UPSTREAM_PATIENCE", min=1, help="Seconds that a call waits for a lost model.")
    ] = limits.upstream_patience,
    call_seconds: Annotated[float, typer.Option(envvar="CALL_SECONDS", min=1)] = limits.call_seconds,
    bad_messages: Annotated[int, typer.Option(envvar="BAD_MESSAGES", min=1, help="A minute.")] = limits.bad_messages,
    messages: Annotated[float, typer.Option(envvar="MESSAGES", min=1, help="A second.")] = limits.messages,
    sessions: Annotated[int, typer.Option(envvar="SESSIONS", min=1, help="At the same time.")] = limits.sessions,
    connects: Annotated[int, typer.Option(envvar="CONNECTS", min=1, help="A second.")] = limits.connects,
    calls: Annotated[int, typer.Option(envvar="CALLS", min=1, help="Of one user, in 10 s.")] = limits.calls,
    takeovers: Annotated[int, typer.Option(envvar="TAKEOVERS", min=1, help="In 10 s.")] = limits.takeovers,
    switches: Annotated[int, typer.Option(envvar="SWITCHES", min=1, help="Of one caller, a minute.")] = limits.switches,
    caller_waiting: Annotated[
        int, typer.Option(envvar="CALLER_WAITING", min=1, help="MiB that wait for one caller.")
    ] = limits.caller_waiting,
    address_waiting: Annotated[
        int, typer.Option(envvar="ADDRESS_WAITING", min=1, help="MiB that wait for one address.")
    ] = limits.address_waiting,
    all_waiting: Annotated[
        int, typer.Option(envvar="ALL_WAITING", min=1, help="MiB that wait for all.")
    ] = limits.all_waiting,
    log_level: Annotated[LogLevel, typer.Option(envvar="LOG_LEVEL", case_sensitive=False)] = LogLevel.INFO,
) -> None:
    """Serve callers until stopped (the default command).

    With an upstream URL that answers; without one OpenAI does if OPENAI_API_KEY is set, else the local engine. Keys
    come from the environment only: OPENAI_API_KEY is sent to OpenAI and nobody else, UPSTREAM_API_KEY to the URL.
    """
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
        engine=EngineOptions(engine_workers, engine_wait),
        hosts=tuple(allow_host or ()),
        origins=tuple(allow_origin or ()),
        limits=Limits(
            idle_seconds=idle_seconds,
            choose_seconds=choose_seconds,
            upstream_patience=upstream_patience,
            call_seconds=call_seconds,
            bad_messages=bad_messages,
            messages=messages,
            sessions=sessions,
            connects=connects,
            calls=calls,
            takeovers=takeovers,
            switches=switches,
            address_connections=address_connections,
            address_connects=address_connects,
            address_questions=address_questions,
            address_messages=address_messages,
            caller_waiting=caller_waiting,
            address_waiting=address_waiting,
            all_waiting=all_waiting,
        ),
        addresses=Addresses(trusted_proxy or (), OURSELVES if limit_loopback else LOOPBACK),
        session_seconds=session_seconds,
    )
    with read_into_the_log() as stderr:
        figures = Counters()
        logging.basicConfig(level=log_level.value, handlers=[Log(figures, stderr)])
        logging.getLogger("aiohttp.server").addFilter(is_ours)
        progress = Console(file=stderr, quiet=not stderr.isatty())  # who reads a pipe may have stopped
        try:
            raise typer.Exit(run(settings, figures, progress))
        except CannotServe as reason:
            Console(file=stderr).print(str(reason), markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(reason.code) from None
