"""`personas`: list and check a file of personas, and show the instructions that a model receives."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Column, Table

from actors.admission.languages import Served
from care import pressed, pressure, what_it_does
from cli.options import option
from cli.settings import MODEL, Settings
from personas import SHIPPED, Catalogue, CatalogueBroken, Fault, Persona
from personas.loading.file import read_bytes
from schemas import Refused

personas = typer.Typer(help="Look at the personas, check a file of them.", no_args_is_help=True)
console = Console()
WIDE = 10_000  # columns if the output is no terminal: enough for any text
errors = Console(stderr=True)

File = Annotated[Path, typer.Option("--personas", envvar="PERSONAS_FILE", help="File of personas.")]


@personas.command("list")
def list_(file: File = SHIPPED) -> None:
    """Who is in the file; exit code 1 when it has a fault."""
    catalogue = _load(file)
    table = Table(Column("id", no_wrap=True), "name", "speciality", "language", "gender", "voice", "status")
    for one in catalogue.all():
        table.add_row(one.id, one.name, one.speciality, one.language, one.gender, one.voice, one.status)
    (console if console.is_terminal else Console(width=WIDE)).print(table)
    _show(errors, file, catalogue.faults)
    raise typer.Exit(1 if catalogue.faults else 0)


@personas.command()
def check(
    file: Annotated[Path, typer.Argument(envvar="PERSONAS_FILE", help="File of personas.")] = SHIPPED,
    as_json: Annotated[
        bool, typer.Option("--json", envvar="PERSONAS_JSON", help="One JSON object, as docs/personas.md describes it.")
    ] = False,
    upstream_url: Annotated[str | None, option(Settings, "upstream_url")] = None,
    model: Annotated[str, option(Settings, "model")] = MODEL,
) -> None:
    """Name every fault of a file, as file:line:column: path: what to do; exit code 1 when there is one.

    It also warns of languages that the model cannot hear or speak, and of prompts and greetings that press callers or
    pass for a human. The model is the one that `serve` would use.
    """
    catalogue: Catalogue | None
    warnings: tuple[Fault, ...] = ()
    try:
        raw = read_bytes(file)
        catalogue = Catalogue.from_bytes(raw)
    except CatalogueBroken as broken:
        faults, catalogue = broken.faults, None
    else:
        settings = Settings(upstream_url=upstream_url, model=model, openai_api_key=os.environ.get("OPENAI_API_KEY", ""))
        faults = catalogue.faults
        served = Served(settings.record.can.languages)
        warnings = (
            *catalogue.warnings,
            *catalogue.warn(served.warning, raw),
            *catalogue.warn(_pressing, raw, "system_prompt"),
            *catalogue.warn(_greets, raw, "greeting"),
        )
    sound, active = (len(catalogue.all()), len(catalogue.active())) if catalogue else (0, 0)
    if as_json:
        report = {"faults": _rows(faults), "warnings": _rows(warnings), "sound": sound, "active": active}
        typer.echo(orjson.dumps({"file": str(file), **report}, option=orjson.OPT_INDENT_2))
    else:
        _show(console, file, faults)
        _show(console, file, warnings, "warning: ")
        counts = f"faults: {len(faults)}, warnings: {len(warnings)}"
        console.print(f"sound: {sound}, of them active: {active}, {counts}", highlight=False)
    raise typer.Exit(1 if faults else 0)


@personas.command()
def show(astrologer_id: Annotated[str, typer.Argument(help="See `personas list`.")], file: File = SHIPPED) -> None:
    """Print the instructions that the model is given for this persona today, and how long they are."""
    catalogue = _load(file)
    try:
        persona = catalogue.personas.get(astrologer_id) or catalogue.get(astrologer_id)  # also one who is inactive
    except Refused as refused:
        faults = [fault for fault in catalogue.faults if fault.persona == astrologer_id]
        _show(errors, file, faults)
        if not faults:
            errors.print(refused.message, markup=False)
        raise typer.Exit(1) from None
    console.print(persona.instructions(datetime.now(UTC)), markup=False, highlight=False, soft_wrap=True)
    errors.print(f"about {persona.tokens} tokens, version {persona.version}", highlight=False)


def _pressing(persona: Persona) -> str | None:
    """What this prompt asks for against docs/safety.md, or None."""
    return "; ".join(map(str, pressure(persona.system_prompt))) or None


def _greets(persona: Persona) -> str | None:
    """What this greeting does against docs/safety.md, or None."""
    return "; ".join(map(what_it_does, sorted(pressed(persona.greeting)))) or None


def _load(file: Path) -> Catalogue:
    try:
        return Catalogue.load(file)
    except CatalogueBroken as broken:
        _show(errors, file, broken.faults)
        raise typer.Exit(1) from None


def _show(where: Console, file: Path, faults: Iterable[Fault], kind: str = "") -> None:
    for fault in faults:
        where.print(fault.within(file, kind), markup=False, highlight=False, soft_wrap=True)


def _rows(faults: Iterable[Fault]) -> list[dict[str, Any]]:
    return [
        {
            "path": fault.path,
            "line": fault.line,
            "column": fault.column,
            "persona": fault.persona,
            "message": fault.message,
        }
        for fault in faults
    ]
