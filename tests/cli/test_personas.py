"""`personas check` and `personas show`, as whoever edits the file and a build server use them."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from personas import SHIPPED
from tests.kit.four import TINA
from tests.kit.languages import TAMIL, data
from upstream.models import LOCAL


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


def test_a_prompt_that_presses_callers_is_warned_of_and_served(tmp_path: Path) -> None:
    """With its line, the reason and the sentence."""
    file = tmp_path / "personas.json"
    shipped = json.loads(SHIPPED.read_text())
    shipped["astrologers"][0]["system_prompt"] = "You are Tina. Keep the caller on the line as long as possible."
    file.write_text(json.dumps(shipped))
    code, told, _ = run("check", str(file))
    assert code == 0
    assert f"warning: $.astrologers[0].system_prompt ({TINA}): asks the persona to keep the caller on the line" in told
    assert "“Keep the caller on the line as long as possible”" in told
    assert told.endswith("faults: 0, warnings: 1\n")


def test_a_greeting_that_presses_callers_is_warned_of_and_served(tmp_path: Path) -> None:
    """With its line and the reason."""
    file = tmp_path / "personas.json"
    shipped = json.loads(SHIPPED.read_text())
    shipped["astrologers"][0]["greeting"] = "नमस्ते, आप पर किसी ने काला जादू किया है। नीलम धारण कीजिए।"
    file.write_text(json.dumps(shipped))
    code, told, _ = run("check", str(file))
    assert code == 0
    assert f"warning: $.astrologers[0].greeting ({TINA}): frightens, or says that bad luck comes" in told
    assert "offers or presses a remedy that costs money" in told
    assert told.endswith("faults: 0, warnings: 1\n")


def test_show_prints_the_prompt_and_its_length_beside_it() -> None:
    """The prompt alone on stdout, so that it can be piped."""
    code, told, beside = run("show", TINA)
    assert code == 0
    assert told.startswith("# Persona\n")
    assert "tokens, version" in beside
    assert "tokens, version" not in told


def test_show_shows_who_is_inactive(tmp_path: Path) -> None:
    """Whoever writes a persona looks at it before it is called."""
    file = tmp_path / "personas.json"
    file.write_text(SHIPPED.read_text().replace('"status": "active"', '"status": "inactive"', 1))
    code, told, _ = run("show", TINA, "--personas", str(file))
    assert (code, told.startswith("# Persona\n")) == (0, True)


def test_show_says_why_somebody_is_refused(faulty: Path) -> None:
    """Their faults, not that there is nobody; of somebody who is not in the file, who else there is."""
    code, told, beside = run("show", TINA, "--personas", str(faulty))
    assert (code, told) == (1, "")
    assert f"$.astrologers[0].voice_id ({TINA}): 'novaa' is not a voice." in beside
    assert "There is no astrologer" not in beside
    code, _, beside = run("show", "nobody", "--personas", str(faulty))
    assert (code, "There is no astrologer 'nobody'" in beside) == (1, True)


def test_a_list_is_as_wide_as_its_text(tmp_path: Path) -> None:
    """Nothing is cut where no terminal is."""
    name = "A very long name " * 4 + "x"
    file = tmp_path / "personas.json"
    file.write_text(SHIPPED.read_text().replace('"name": "Mohit"', f'"name": "{name}"'))
    code, told, _ = run("list", "--personas", str(file))
    assert code == 0
    assert [line for line in told.splitlines() if "mohit_vedic_marriage" in line and name in line and "active" in line]
    assert max(map(len, told.splitlines())) < 300


def test_a_list_with_faults_ends_as_a_check_does(faulty: Path) -> None:
    """Who is sound on stdout, the faults beside it, exit code 1."""
    code, told, beside = run("list", "--personas", str(faulty))
    assert code == 1
    assert "mohit_vedic_marriage" in told
    assert "'novaa' is not a voice" in beside


def test_the_file_may_be_named_in_the_environment(faulty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PERSONAS_FILE, for each of the three; an argument wins."""
    monkeypatch.setenv("PERSONAS_FILE", str(faulty))
    assert [run(*args)[0] for args in (["check"], ["list"], ["show", TINA], ["check", str(SHIPPED)])] == [1, 1, 1, 0]


def test_half_a_character_in_a_template_is_told(tmp_path: Path) -> None:
    """What cannot be printed is not repeated."""
    file = tmp_path / "personas.json"
    data = json.loads(SHIPPED.read_bytes())
    data["features"]["f"] = {"schema": {}, "prompt": '{{ value["\\ud800"] }}'}
    file.write_text(json.dumps(data))
    for option in ((), ("--json",)):
        code, told, _ = run("check", *option, str(file))
        assert (code, "holds half of a character" in told) == (1, True)


def languages_of(tmp_path: Path, *args: str) -> list[str]:
    """The warnings for a file with personas in seven languages, without the path of the file."""
    file = tmp_path / "personas.json"
    file.write_text(json.dumps(data(), ensure_ascii=False, indent=1))
    code, told, _ = run("check", str(file), *args)
    assert code == 0
    return [line.removeprefix(str(file)) for line in told.split("\n") if "warning:" in line]


def test_the_languages_of_the_local_engine_are_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the line of the language: who cannot be chosen, and who can only be typed to."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("UPSTREAM_URL", raising=False)
    tamil, marathi, urdu = languages_of(tmp_path)
    assert re.match(rf":\d+:\d+: warning: .+\.language \({TAMIL}\): is Tamil; the local engine hears and", tamil)
    assert "nobody can choose" in urdu
    assert "only type" in marathi


def test_another_model_is_not_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the rules of `serve`: a key of OpenAI or an address name another one."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert languages_of(tmp_path, "--upstream-url", "wss://example.org/v1/realtime") == []
    assert len(languages_of(tmp_path, "--upstream-url", "ws://127.0.0.1:1/v1/realtime", "--model", LOCAL)) == 3
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    assert languages_of(tmp_path) == []
