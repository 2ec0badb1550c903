"""Runs all cases, each with a server of its own, and formats the rows."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from bench.attacks.cases import CASES
from bench.attacks.measure import measured
from bench.report import Part, Target

COLUMNS = ("attack", "before", "during", "ratio", "lost", "told", "newcomers", "clips", "memory", "cost", "note")


async def run(
    only: Sequence[str], tree: Path, keep: Callable[[Part], None], say: Callable[[str], None] = print
) -> list[Part]:
    """Run the named cases, or all. `keep` saves the results after each one, as a run takes half an hour."""
    part = Part("attacks", columns=COLUMNS, key="attack")
    for name in only or CASES:
        try:
            row = {"attack": name, **await measured(CASES[name], tree)}
        except (OSError, TimeoutError, psutil.Error) as error:
            row = {"attack": name, "note": f"not measured: {str(error).strip()[-300:] or type(error).__name__}"}
        _print(row)
        part.rows.append(row)
        part.targets.append(_target(row))
        keep(part)
        say(f"{name}: {part.targets[-1].got}")
    return [part]


def _print(row: dict[str, Any]) -> None:
    """Add the columns that are printed, made of the figures."""
    if "ratio" not in row:
        return
    came, sent, cost = row["newcomers_came"], row["clips_sent"], row.get("spent")
    loop = f", loop {row['loop_ms']}" if row["loop_ms"] is not None else ""
    row["before"] = f"p50 {row['p50_before']:.1f} p99 {row['p99_before']:.1f} ms"
    row["during"] = f"p50 {row['p50']:.1f} p99 {row['p99']:.1f}{loop} ms"
    row["newcomers"] = f"{came['served']} of {came['of']}, p99 {came['p99']:.0f} ms"
    row["clips"] = f"{sent['served']} of {sent['of']}, p99 {row['clips_before']['p99']:.0f} → {sent['p99']:.0f} ms"
    row["memory"] = f"{row['server_mb']} MB, children {row['children_mb']}, back after: {row['back_s']} s"
    row["cost"] = f"{row['mb_a_second']} MB/s, {row['connects_a_second']} connections/s" if cost else ""
    row["note"] = ", ".join(filter(None, (row["stopped"], row["invalid"])))


def _target(row: dict[str, Any]) -> Target:
    must = CASES[row["attack"]].must
    if "ratio" not in row:
        return Target(row["attack"], must.what, row["note"], None)
    got = f"{row['before']} → {row['during']}: {row['ratio']} ×, {row['lost']} lost, {row['server_mb']} MB"
    return Target(row["attack"], must.what, f"{got}, {row['seconds']} s", must.met(row))
