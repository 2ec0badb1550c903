"""`python -m bench [PART ...]`: what the server costs and how fast it is, on this machine.

Each part's own file says what is measured and how. Results go to bench/results.json, plots to bench/plots/.
"""

import signal
import sys
import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer
import uvloop
from rich.console import Console

from bench import (
    bargein,
    beside,
    calls,
    capacity,
    catalogue,
    churn,
    decode,
    drain,
    drops,
    hop,
    isolation,
    kills,
    moves,
    report,
    resuming,
    rollover,
    stalls,
    workers,
    worst,
)
from bench.attacks import run as attacks
from bench.attacks.cases import CASES
from bench.report import Part
from bench.server_process import KINDS, ROOT, unpin

Run: TypeAlias = Callable[[], list[Part]]


class Name(Enum):
    """The parts, in the order of a run."""

    HOP = "hop"
    BESIDE = "beside"
    CAPACITY = "capacity"
    ISOLATION = "isolation"
    ATTACKS = "attacks"
    CHURN = "churn"
    KILLS = "kills"
    STALLS = "stalls"
    DROPS = "drops"
    RESUMING = "resuming"
    ROLLOVER = "rollover"
    BARGEIN = "bargein"
    DRAIN = "drain"
    MOVES = "moves"
    CALLS = "calls"
    DECODE = "decode"
    WORKERS = "workers"
    CATALOGUE = "catalogue"
    WORST = "worst"


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def attack_names(names: list[str] | None) -> list[str]:
    """The names of attacks, as they are; raises BadParameter for one that is unknown."""
    for name in names or ():
        if name not in CASES:
            raise typer.BadParameter(f"{name} is none of: {'; '.join(CASES)}")
    return names or []


@app.command()
def main(
    parts: Annotated[list[Name] | None, typer.Argument(help="All of them, when none is named.")] = None,
    full: Annotated[bool, typer.Option("--full/--quick", help="As long as the targets ask for: two hours.")] = False,
    cycles: Annotated[int | None, typer.Option(min=10, help="Of churn.")] = None,
    cuts: Annotated[int | None, typer.Option(min=1, help="Of kills, stalls, drops or rollovers.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help=f"Of capacity: {', '.join(KINDS)}.")] = None,
    peers: Annotated[
        bool, typer.Option("--peers", help="Of beside, which it adds: the frameworks of others, too (make peers).")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option(callback=attack_names, help="Of attacks: one of them, by name.")
    ] = None,
    tree: Annotated[
        Path,
        typer.Option(
            exists=True,
            file_okay=False,
            resolve_path=True,
            help="Of attacks: whose server is attacked; of resuming: beside whose.",
        ),
    ] = ROOT,
    out: Annotated[Path, typer.Option(dir_okay=False, help="Where the figures go.")] = report.RESULTS,
) -> None:
    """Measure, print tables, and write results.json and the plots."""
    console = Console(width=None if sys.stdout.isatty() else 180)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that child processes are ended
    length = "full" if full else "quick"
    runs = _runs(full, cycles, cuts, kind, peers, tree)
    runs[Name.ATTACKS] = lambda: uvloop.run(
        attacks.run(only or [], tree, lambda part: report.save([part], length, out))
    )
    named = parts or list(Name)
    if peers and Name.BESIDE not in named:
        named = [Name.BESIDE, *named]
    measured = [_measure(name, runs[name], length, out, console) for name in named]
    raise typer.Exit(not all(measured))


def _runs(
    full: bool, cycles: int | None, cuts: int | None, kind: list[str] | None, peers: bool, tree: Path
) -> dict[Name, Run]:
    """How each part but the attacks is run, in full or quickly."""
    plan = capacity.FULL if full else capacity.QUICK
    kinds = tuple(kind or capacity.KINDS)
    return {
        Name.HOP: lambda: hop.run((50, 200, 600), 10) if full else hop.run((50, 200), 3),
        Name.BESIDE: lambda: uvloop.run(beside.run(beside.FULL if full else beside.QUICK, peers)),
        Name.CAPACITY: lambda: uvloop.run(capacity.run(plan, kinds)),
        Name.ISOLATION: lambda: uvloop.run(isolation.run(20 if full else 4)),
        Name.CHURN: lambda: uvloop.run(churn.run(cycles or (20_000 if full else 600))),
        Name.KILLS: lambda: uvloop.run(kills.run(cuts or (1000 if full else 60))),
        Name.STALLS: lambda: uvloop.run(stalls.run(cuts or (400 if full else 60))),
        Name.DROPS: lambda: uvloop.run(drops.run(cuts or (1000 if full else 60))),
        Name.RESUMING: lambda: uvloop.run(resuming.run(resuming.FULL if full else resuming.QUICK, tree)),
        Name.ROLLOVER: lambda: uvloop.run(rollover.run(cuts or (1000 if full else 120))),
        Name.BARGEIN: lambda: uvloop.run(bargein.run(30 if full else 4)),
        Name.DRAIN: lambda: uvloop.run(drain.run(60.0 if full else 30.0)),
        Name.MOVES: lambda: uvloop.run(moves.run()),
        Name.CALLS: lambda: calls.run(20 if full else 6),
        Name.DECODE: decode.run,
        Name.WORKERS: lambda: uvloop.run(workers.run(workers.FULL if full else workers.QUICK)),
        Name.CATALOGUE: catalogue.run,
        Name.WORST: worst.run,
    }


def _measure(name: Name, run: Run, length: str, out: Path, console: Console) -> bool:
    """Run one part, print and save its figures; False if it could not be measured."""
    began = time.monotonic()
    console.rule(name.value)
    try:
        done = run()
    except (OSError, TimeoutError, ImportError) as error:
        console.print(f"{name.value} could not be measured: {error}", markup=False)
        return False
    finally:
        unpin()
    for part in done:
        report.show(part, console)
    report.save(done, length, out)
    for file in report.plot(done):
        console.print(f"  {file}", markup=False, highlight=False)
    console.print(f"  {time.monotonic() - began:.0f} s", highlight=False)
    return True


if __name__ == "__main__":
    app()
