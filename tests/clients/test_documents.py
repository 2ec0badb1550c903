"""The examples of docs/clients.md, run as they stand."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import clients
from audio.codec import decode
from tests.clients.test_js import NODE, version
from tests.kit.exchange import CLIPS
from tests.kit.process import server
from tests.kit.story import WITHIN

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/clients.md").read_text()
NEEDS_NODE = pytest.mark.skipif(version() < 20, reason="no node 20 or newer: apt-get install nodejs")
COMMANDS = {
    "js": [str(NODE), "--experimental-websocket", "--no-warnings", "--input-type=module", "-"],
    "python": [sys.executable, "-"],
}


@pytest.mark.thorough
@pytest.mark.parametrize("language", [pytest.param("js", marks=NEEDS_NODE), "python"])
def test_an_example_makes_a_call(tmp_path: Path, language: str) -> None:
    """The question is answered, and the call is summed up."""
    (code,) = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert len(code.splitlines()) <= 25
    question = tmp_path / "question.pcm"
    question.write_bytes(decode((CLIPS / "hi_marriage_delay.m4a").read_bytes()))
    code = code.replace('"answer.wav"', repr(str(tmp_path / "answer.wav")))
    ours = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    with server() as one:
        command = [*COMMANDS[language], one.url, str(question)]
        done = subprocess.run(
            command, input=code, capture_output=True, text=True, timeout=5 * WITHIN, cwd=ROOT, env=ours, check=False
        )
    assert done.returncode == 0, done.stderr
    assert "नमस्ते" in done.stdout
    assert re.search("शादी|विवाह", done.stdout)
    assert re.search(r"^\d+ s$", done.stdout, re.MULTILINE)


def test_the_table_is_that_of_the_client() -> None:
    """What to do after which close."""
    script = clients.MODULE.read_text()
    for words, next_ in {"resume the call": "resume", "call anew": "later", "do not": "never"}.items():
        (codes,) = re.findall(rf"^\| {words}[^|]*\| ([\d, ]+) \|$", TEXT, re.MULTILINE)
        assert codes.split(", ") == re.findall(rf'^  (\d+): "{next_}"', script, re.MULTILINE)
