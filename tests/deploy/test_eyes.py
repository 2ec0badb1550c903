"""The dashboard and the alert rules: every name in them is a figure of ours, and Prometheus' own tool takes them."""

import asyncio
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from actors.counters import Counters
from audio import Pool
from web.metrics import Metrics

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "deploy/grafana/dashboard.json"
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
RULES = Path(__file__).with_name("alerts.test.yml")
NAME = re.compile(r"\b(?:voice|process)_[a-z_]+\b")
SUFFIXES = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"], "gauge": [""]}

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool: apt-get install --no-install-recommends prometheus"
)


async def exported() -> set[str]:
    """The names of all samples that the server may show."""
    families = list(Metrics(Counters(), Pool()).registry.collect())
    return {f"{family.name}{suffix}" for family in families for suffix in SUFFIXES[family.type]}


def panels() -> list[dict[str, Any]]:
    """Those of the dashboard."""
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def queries() -> list[str]:
    """All that the dashboard asks Prometheus."""
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [*asked, json.loads(DASHBOARD.read_text())["templating"]["list"][1]["definition"]]


def test_every_name_is_exported() -> None:
    """A figure that is renamed takes its panels and alerts with it."""
    names = asyncio.run(exported())
    for text in (*queries(), ALERTS.read_text(), RULES.read_text()):
        used = set(NAME.findall(text))
        assert used <= names, used - names
    assert len(set(NAME.findall("".join(queries())))) > 20


def test_what_the_operator_must_see_is_there() -> None:
    """Callers, ends, refusals, phases, the loop, losses, budgets, decoders."""
    shown = "".join(queries())
    names = "callers sessions_ended_total calls_refused_total turn_phase_seconds_bucket loop_late_seconds_bucket"
    for name in f"{names} upstream_lost_total budget_spent_ratio decoders_busy".split():
        assert f"voice_{name}{{" in shown
    assert {panel["type"] for panel in panels()} == {"timeseries"}
    assert all(panel["description"] for panel in panels())
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_the_documents_name_the_files() -> None:
    """An operator finds them."""
    operations = (ROOT / "docs/operations.md").read_text()
    assert "deploy/grafana/dashboard.json" in operations
    assert "deploy/prometheus/alerts.yml" in operations


def test_each_alert_is_seen_to_fire() -> None:
    """The test of the rules names every one of them."""
    alerts = re.findall(r"- alert: (\w+)", ALERTS.read_text())
    assert len(alerts) == len(set(alerts)) > 10
    assert set(alerts) == set(re.findall(r'alertname="(\w+)"', RULES.read_text()))


@needs_promtool
@pytest.mark.parametrize("command", [["check", "rules", str(ALERTS)], ["test", "rules", str(RULES)]], ids=" ".join)
def test_prometheus_takes_the_rules(command: list[str]) -> None:
    """Their syntax; and that each fires on what it is for, and not before."""
    told = subprocess.run(["promtool", *command], capture_output=True, text=True, check=False, timeout=120)
    assert told.returncode == 0, told.stdout + told.stderr


@needs_promtool
def test_prometheus_takes_the_queries(tmp_path: Path) -> None:
    """Those of the dashboard, as rules, with a range where Grafana writes its own."""
    asked = [re.sub(r"\[\$\w+\]", "[5m]", query) for query in queries()[:-1]]
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(asked)]
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    told = subprocess.run(["promtool", "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    assert f"{len(asked)} rules found" in told.stdout
