"""What the unit says, and what systemd thinks of it; test_started.py starts it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cli.options import declared
from cli.settings import Settings
from tests.kit.story import WITHIN

DEPLOY = Path(__file__).parents[2] / "deploy"
UNIT = DEPLOY / "voice.service"
DROP_IN = DEPLOY / "voice.service.d" / "local-engine.conf"
MOST_EXPOSED = 1.3  # of 10, as systemd counts: what is left is the network, which a server is for
ANALYZE = shutil.which("systemd-analyze")


def settings(file: Path) -> dict[str, list[str]]:
    """The values of each name, in order."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", file.read_text(), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def test_a_drain_has_its_time() -> None:
    """The server alone is told, and has as long as it asks for by default, and 20 s; its decoders end nothing."""
    told = settings(UNIT)
    (seconds,) = [one.default for one in declared(Settings) if one.variable == "DRAIN_SECONDS"]
    assert told["TimeoutStopSec"] == [str(int(seconds) + 20)]
    assert told["KillMode"] == ["mixed"]
    assert "KillSignal" not in told
    assert told["OOMPolicy"] == ["continue"]
    assert told["RestartPreventExitStatus"] == ["2"]


def test_the_drop_in_takes_back_one_line() -> None:
    """And no other."""
    assert settings(DROP_IN) == {"MemoryDenyWriteExecute": ["no"]}
    assert settings(UNIT)["MemoryDenyWriteExecute"] == ["yes"]


@pytest.mark.skipif(not ANALYZE, reason="no systemd-analyze: apt-get install systemd")
@pytest.mark.parametrize("dropped_in", [False, True])
def test_it_is_exposed_to_little(dropped_in: bool, tmp_path: Path) -> None:
    """By systemd's own count."""
    assert ANALYZE
    unit = tmp_path / "voice.service"
    unit.write_text(UNIT.read_text() + (DROP_IN.read_text() if dropped_in else ""))
    command = [ANALYZE, "security", "--offline=true", "--no-pager", str(unit)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=WITHIN)
    assert not shown.stderr
    found = re.search(r"Overall exposure level for voice.service: ([\d.]+)", shown.stdout)
    assert found
    assert float(found[1]) <= MOST_EXPOSED + 0.1 * dropped_in


@pytest.mark.skipif(not ANALYZE, reason="no systemd-analyze: apt-get install systemd")
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    """A word that it does not know it would ignore."""
    assert ANALYZE
    unit = tmp_path / "voice.service"
    unit.write_text(UNIT.read_text().replace("/opt/persona-voice/bin/python", "/bin/sh"))
    command = [ANALYZE, "verify", "--man=no", str(unit)]
    shown = subprocess.run(command, capture_output=True, text=True, check=False, timeout=WITHIN)
    assert "voice.service" not in shown.stderr, shown.stderr
