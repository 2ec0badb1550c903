"""`serve`: each option can be set in the environment too; `cli/settings.py` declares them."""

import logging
import os
from pathlib import Path

import typer
from rich.console import Console

from actors.counters import Counters
from cli.failure import CannotServe
from cli.fleet.lines import Lines
from cli.fleet.run import run as run_fleet
from cli.fleet.seat import FOLDER, Worker
from cli.fleet.shares import workers_of
from cli.log import Log
from cli.options import with_options
from cli.server import is_ours, run
from cli.settings import Settings
from cli.stderr_capture import capture_stderr


@with_options(Settings)
def serve(settings: Settings) -> None:
    """Serve callers until stopped (the default command).

    With an upstream URL that answers; without one OpenAI does if OPENAI_API_KEY is set, else the local engine. Keys
    come from the environment only: OPENAI_API_KEY is sent to OpenAI and nobody else, UPSTREAM_API_KEY to the URL.
    """
    seat = Worker(Path(folder)) if (folder := os.environ.pop(FOLDER, "")) else None
    workers = workers_of(settings)
    with capture_stderr() as stderr:
        counters = Counters()
        logging.basicConfig(level=settings.log_level.value, handlers=[Log(counters, stderr, lines=Lines())])
        logging.getLogger("aiohttp.server").addFilter(is_ours)
        progress = Console(file=stderr, quiet=not stderr.isatty())  # a pipe's reader may have stopped reading
        try:
            code = run(settings, counters, progress, seat) if workers == 1 else run_fleet(settings, workers, progress)
            raise typer.Exit(code)
        except CannotServe as reason:
            Console(file=stderr).print(str(reason), markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(reason.code) from None
