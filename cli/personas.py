"""`personas`: look at a file of personas, check it, and see what a model is told."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from personas import SHIPPED, Catalogue, CatalogueBroken, Fault
from schemas import Refused

personas = typer.Typer(help="Look at the personas, check a file of them.", no_args_is_help=True)
console = Console()
WIDE = 160  # columns, where there is no terminal to fit
errors = Console(stderr=True)

File = Annotated[Path, typer.Option("--personas", envvar="PERSONAS_FILE", help="File of personas.")]


@personas.command("list")
def list_(file: File = SHIPPED) -> None:
    """Who is in the file."""
    catalogue = _load(file)
    table = Table(Column("id", no_wrap=True), "name", "speciality", "language", "gender", "voice", "status")
    for one in catalogue.all():
        table.add_row(one.id, one.name, one.speciality, one.language, one.gender, one.voice, one.status)
    console.print(table, width=None if console.is_terminal else WIDE)
    _show(errors, catalogue.faults)


@personas.command()
def check(file: Annotated[Path, typer.Argument(help="File of personas.")] = SHIPPED) -> None:
    """Name every fault of a file; exit code 1 when there is one."""
    try:
        catalogue = Catalogue.load(file)
    except CatalogueBroken as broken:
        faults, sound, active = tuple(broken.faults), 0, 0
    else:
        faults, sound, active = catalogue.faults, len(catalogue.all()), len(catalogue.active())
    _show(console, faults)
    console.print(f"sound: {sound}, of them active: {active}, faults: {len(faults)}", highlight=False)
    raise typer.Exit(1 if faults else 0)


@personas.command()
def show(astrologer_id: Annotated[str, typer.Argument(help="See `personas list`.")], file: File = SHIPPED) -> None:
    """Print the instructions that the model is given for this persona today."""
    catalogue = _load(file)
    try:
        persona = catalogue.get(astrologer_id)
    except Refused as refused:
        errors.print(refused.message, markup=False)
        raise typer.Exit(1) from None
    console.print(catalogue.instructions(persona, today=date.today()), markup=False, highlight=False, soft_wrap=True)


def _load(file: Path) -> Catalogue:
    try:
        return Catalogue.load(file)
    except CatalogueBroken as broken:
        _show(errors, broken.faults)
        raise typer.Exit(1) from None


def _show(where: Console, faults: Iterable[Fault]) -> None:
    for fault in faults:
        where.print(str(fault), markup=False, highlight=False, soft_wrap=True)
