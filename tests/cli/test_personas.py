"""`personas check` and `personas show`, as whoever edits the file and a build server use them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from personas import SHIPPED
from tests.kit.four import TINA


def run(*args: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["personas", *args])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """The file that ships, with one voice misspelled."""
    file = tmp_path / "personas.json"
    file.write_text(SHIPPED.read_text().replace('"voice_id": "nova"', '"voice_id": "novaa"'))
    return file


def test_what_ships_has_no_fault() -> None:
    """Exit code 0, and a count."""
    code, told, _ = run("check")
    assert code == 0
    assert told == "sound: 4, of them active: 4, faults: 0, warnings: 0\n"


def test_a_fault_is_told_with_file_line_and_path(faulty: Path) -> None:
    """A line that an editor can jump to; exit code 1, though three are sound."""
    line = faulty.read_text().split("\n").index('      "voice_id": "novaa",') + 1
    code, told, _ = run("check", str(faulty))
    assert code == 1
    assert told.startswith(f"{faulty}:{line}:7: $.astrologers[0].voice_id ({TINA}): 'novaa' is not a voice. Did you")
    assert told.endswith("sound: 3, of them active: 3, faults: 1, warnings: 0\n")


def test_a_build_server_reads_json(faulty: Path) -> None:
    """The fields that docs/personas.md names, and no others."""
    code, told, _ = run("check", "--json", str(faulty))
    report = json.loads(told)
    assert code == 1
    assert set(report) == {"file", "faults", "warnings", "sound", "active"}
    assert set(report["faults"][0]) == {"path", "line", "column", "persona", "message"}
    assert (report["sound"], report["active"], report["faults"][0]["persona"]) == (3, 3, TINA)


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path, option: tuple[str, ...]) -> None:
    """Exit code 1 for what is not there, and for a folder."""
    for path in (tmp_path / "nowhere.json", tmp_path):
        code, told, _ = run("check", *option, str(path))
        assert code == 1
        assert "cannot read" in told


def test_a_long_prompt_is_warned_of_and_served(tmp_path: Path) -> None:
    """Exit code 0: it costs time, it breaks nothing."""
    data = json.loads(SHIPPED.read_bytes())
    data["astrologers"][1]["system_prompt"] = "You are Mohit. " * 1000
    file = tmp_path / "personas.json"
    file.write_text(json.dumps(data, ensure_ascii=False, indent=2))
    code, told, _ = run("check", str(file))
    assert code == 0
    assert "warning: $.astrologers[1].system_prompt (mohit_vedic_marriage): makes instructions of some" in told
    assert "sound: 4, of them active: 4, faults: 0, warnings: 1" in told


def test_show_prints_the_prompt_and_its_length_beside_it() -> None:
    """The prompt alone on stdout, so that it can be piped."""
    code, told, beside = run("show", TINA)
    assert code == 0
    assert told.startswith("# Persona\n")
    assert "tokens, version" in beside
    assert "tokens, version" not in told
