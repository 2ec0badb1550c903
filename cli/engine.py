"""`engine`: the local engine alone, for other programs that speak to a Realtime server."""

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from cli.options import option
from cli.settings import Settings
from engine import WAIT, WORKERS
from engine.faults.script import Script, ScriptBroken, load
from engine.gate import UNLIMITED, Gate
from engine.installed import NotInstalled
from engine.pace import ALONE
from engine.program import print_ready, run
from engine.weights import WeightsMissing
from realtime.server.settings import LONGEST_LIFE
from web.guard import stranger

SESSIONS = 50  # at once, of an engine that runs alone


Token: TypeAlias = Annotated[
    str | None,
    typer.Option(
        envvar="LOCAL_ENGINE_TOKEN", help="What callers must send as Bearer token; else a new one is printed."
    ),
]
Sessions: TypeAlias = Annotated[
    int | None,
    typer.Option(
        envvar="ENGINE_SESSIONS",
        min=1,
        help=f"Connections at once. {SESSIONS} by default; as the child of a server, no limit of its own.",
    ),
]
Pace: TypeAlias = Annotated[
    float | None,
    typer.Option(
        envvar="ENGINE_PACE",
        min=0,
        help="How many times as fast as speech answers are sent after their first half second; 0: at once. "
        f"{ALONE:g} by default, 0 as the child of a server.",
    ),
]


def engine(
    host: Annotated[str, typer.Option(envvar="HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="ENGINE_PORT", min=0, max=65535, help="0 takes a free one.")] = 8100,
    token: Token = None,
    open_: Annotated[
        bool, typer.Option("--open", envvar="ENGINE_OPEN", help="Whoever reaches it may call, without a token.")
    ] = False,
    sessions: Sessions = None,
    local_llm_url: Annotated[
        str | None, typer.Option(envvar="LOCAL_LLM_URL", help="OpenAI-compatible chat server to think with.")
    ] = None,
    session_seconds: Annotated[
        float,
        typer.Option(envvar="ENGINE_SESSION_SECONDS", min=1, max=LONGEST_LIFE, help="Age at which a session expires."),
    ] = LONGEST_LIFE,
    faults: Annotated[
        Path | None,
        typer.Option(envvar="ENGINE_FAULTS", help="Script of what goes wrong on each connection, see docs/testing.md."),
    ] = None,
    pace: Pace = None,
    engine_workers: Annotated[int, option(Settings, "engine_workers")] = WORKERS,
    engine_wait: Annotated[float, option(Settings, "engine_wait")] = WAIT,
    child: Annotated[bool, typer.Option(hidden=True, help="End when stdin closes, announce as JSON lines.")] = False,
) -> None:
    """Run the local engine alone: a Realtime server at ws://HOST:PORT/v1/realtime."""
    behaviour = {
        "session_seconds": session_seconds,
        "script": _script(faults),
        "pace": pace_of(pace, child=child),
        "workers": engine_workers,
        "wait": engine_wait,
        "gate": Gate(stranger, sessions or (UNLIMITED if child else SESSIONS)),
    }
    token, show = token_of(token, open_=open_, child=child)
    try:
        work = run(host, port, token=token, llm_url=local_llm_url, child=child, on_ready=show, **behaviour)
        asyncio.run(work)
    except (NotInstalled, WeightsMissing, ImportError) as missing:
        typer.echo(str(missing), err=True)
        raise typer.Exit(1) from None
    except OSError as error:
        typer.echo(f"Cannot listen on {host}:{port} ({error.strerror or error}): set --host or --port.", err=True)
        raise typer.Exit(1) from None


def pace_of(given: float | None, *, child: bool) -> float:
    """The pace of the answers: that which is given, else that of the real API; a server paces for its own callers."""
    return given if given is not None else 0.0 if child else ALONE


def token_of(given: str | None, *, open_: bool, child: bool) -> tuple[str | None, Callable[[str], None]]:
    """The token to ask for, and what says where the engine is: with the token, if it is a new one."""
    if open_ and given:
        typer.echo("--open: who comes shows no token, so set none.", err=True)
        raise typer.Exit(2)
    if child and not given:
        typer.echo("--child: its token comes in LOCAL_ENGINE_TOKEN, so set that.", err=True)
        raise typer.Exit(2)
    if given or open_:
        return given or None, print_ready
    new = secrets.token_urlsafe(24)

    def show(url: str) -> None:
        print_ready(url)
        typer.echo(f"Its token: {new}")

    return new, show


def _script(file: Path | None) -> Script:
    """The script in the file; for an invalid one, prints all its faults and exits with code 2."""
    try:
        return load(file) if file else Script()
    except ScriptBroken as broken:
        typer.echo("\n".join(broken.faults), err=True)
        raise typer.Exit(2) from None
