"""`serve`: the options, each of which can be set in the environment too."""

import logging
import os
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from actors.services import Limits
from cli.failure import CannotServe
from cli.log import Log
from cli.server import is_ours, run
from cli.settings import MODEL, EngineOptions, Settings
from engine import WAIT, WORKERS
from personas import SHIPPED
from upstream.link import check_url
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
    engine_workers: Annotated[
        int, typer.Option(envvar="ENGINE_WORKERS", min=1, max=64, help="Threads of the local engine.")
    ] = WORKERS,
    engine_wait: Annotated[
        float,
        typer.Option(envvar="ENGINE_WAIT", min=0.1, help="Seconds in which it must answer, or else: busy."),
    ] = WAIT,
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
    logging.getLogger("aiohttp.server").addFilter(is_ours)
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
            call_seconds=call_seconds,
            bad_messages=bad_messages,
            messages=messages,
            sessions=sessions,
            connects=connects,
            calls=calls,
            takeovers=takeovers,
            switches=switches,
        ),
        session_seconds=session_seconds,
    )
    try:
        raise typer.Exit(run(settings))
    except CannotServe as reason:
        Console(stderr=True).print(str(reason), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(reason.code) from None
