"""Reports results: tables on the console, results.json, plots, and a comparison with the targets."""

import json
import platform
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results.json"
PLOTS = FOLDER / "plots"


@dataclass(frozen=True)
class Target:
    """A target: what must be reached, what was measured, and if it is met; None if it could not be measured."""

    what: str
    must: str
    got: str
    met: bool | None


@dataclass
class Part:
    """The result of one benchmark: rows of a table, targets, notes, and `series`, rows that are only plotted."""

    name: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    series: list[dict[str, Any]] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    """The columns that are printed; all if empty."""
    key: str = ""
    """The column that identifies a row: a run that measured only some rows replaces those with the same value."""


def show(part: Part, console: Console) -> None:
    """Print its table, notes and targets."""
    if part.rows:
        columns = part.columns or list(dict.fromkeys(name for row in part.rows for name in row))
        table = Table(*columns, title=part.name)
        for row in part.rows:
            table.add_row(*(str(row.get(name, "")) for name in columns))
        console.print(table)
    for note in part.notes:
        console.print(f"  {note}", markup=False, highlight=False)
    if part.targets:
        table = Table("", "must", "measured", "", title=f"{part.name}: targets")
        for target in part.targets:
            table.add_row(target.what, target.must, target.got, {True: "met", False: "NOT MET", None: "?"}[target.met])
        console.print(table)


def save(parts: list[Part], plan: str, file: Path = RESULTS) -> None:
    """Write results.json. Parts that were not run are not changed."""
    known = json.loads(file.read_text())["parts"] if file.exists() else {}
    machine = {"cpu": _cpu(), "cores": psutil.cpu_count(), "python": platform.python_version()}
    stamp = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "plan": plan, "machine": machine}
    fresh = {part.name: {**stamp, **asdict(part)} for part in parts}
    for part in parts:
        if part.key and part.name in known:
            fresh[part.name] |= _joined(known[part.name], part)
    file.write_text(json.dumps({"parts": {**known, **fresh}}, indent=1, ensure_ascii=False) + "\n")


def _joined(known: dict[str, Any], part: Part) -> dict[str, Any]:
    """The rows and targets of the file and of this run; those measured again are replaced."""
    measured = {row[part.key] for row in part.rows}
    rows = [row for row in known["rows"] if row[part.key] not in measured]
    targets = [target for target in known["targets"] if target["what"] not in measured]
    return {"rows": rows + part.rows, "targets": targets + [asdict(target) for target in part.targets]}


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor()
    lines = info.read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def plot(parts: list[Part]) -> list[Path]:
    """Draw the plots of DRAWINGS; none if matplotlib is not installed. Returns the files."""
    try:
        import matplotlib as mpl
    except ImportError:
        return []
    mpl.use("Agg")
    PLOTS.mkdir(exist_ok=True)
    drawn = []
    for part in parts:
        for name, x, y, by, mark in DRAWINGS.get(part.name, ()):
            drawn.append(_draw(part, name, x, y, by, mark))
    return drawn


DRAWINGS: dict[str, tuple[tuple[str, str, str, str, float | None], ...]] = {
    "capacity": (
        ("uplink", "callers", "up_p99", "kind line calls", 20.0),
        ("cpu", "callers", "cpu_ms_per_session", "kind line calls", None),
    ),
    "hop": (("hop", "users", "p99_ms", "actor", None),),
    "churn": (("churn", "cycles", "rss_mb", "", None),),
    "kills": (("kills", "silence_ms", "share", "", None),),
}
"""By part: file name, the columns of x and y, the columns that identify a curve, and a limit."""


def _draw(part: Part, name: str, x: str, y: str, by: str, limit: float | None) -> Path:
    from matplotlib import pyplot as plt

    curves: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in part.series or part.rows:
        if x in row and y in row and not row.get("invalid"):
            curves[" ".join(str(row[column]) for column in by.split())].append((row[x], row[y]))
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for label, points in curves.items():
        axes.plot(*zip(*sorted(points), strict=True), marker="o", markersize=3, label=label)
    if limit:
        axes.axhline(limit, color="grey", linestyle="--")
        axes.set_ylim(0, limit * 3)
    axes.set(xlabel=x, ylabel=y, title=part.name)
    if by and curves:
        axes.legend()
    file = PLOTS / f"{name}.png"
    figure.savefig(file, dpi=110)
    plt.close(figure)
    return file
