"""The JavaScript client, in Node: its own tests, with the real server and the local engine at the other end."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import clients
from audio.codec import decode
from tests.kit.exchange import CLIPS
from tests.kit.process import server
from tests.kit.story import WITHIN

FOLDER = clients.MODULE.parent
TESTS = sorted(str(path) for path in FOLDER.glob("test/*.test.js"))
NODE = shutil.which("node")


def version() -> int:
    """Of node, its first number; 0 without one."""
    told = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True).stdout if NODE else "v0.0"
    return int(told.strip().removeprefix("v").partition(".")[0])


pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(version() < 20, reason="no node 20 or newer: apt-get install nodejs"),
]


def node(*tests: str, **environment: str) -> str:
    """What node says of these tests; none may fail or be skipped."""
    command = [str(NODE), "--experimental-websocket", "--no-warnings", "--test", "--test-reporter=tap", *tests]
    ours = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=10 * WITHIN, env={**ours, **environment}, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# skipped 0" in done.stdout, done.stdout
    return done.stdout


def test_it_comes_back_as_the_protocol_says() -> None:
    """Against a server that the test plays, in time that the test lets pass."""
    (script,) = [path for path in TESTS if "resume" in path]
    assert "# fail 0" in node(script)


def test_it_calls_the_server(tmp_path: Path) -> None:
    """Both modes, by voice and in writing: greeting, captions, interruption, switch, refusal, summary.

    And over lines that are cut, fall silent or are too slow: no byte of an answer is lost or repeated.
    """
    question = tmp_path / "question.pcm"
    question.write_bytes(decode((CLIPS / "hi_marriage_delay.m4a").read_bytes()))
    scripts = [path for path in TESTS if "resume" not in path]
    with server() as one:
        node(*scripts, VOICE_SERVER=one.url, VOICE_QUESTION=str(question))


def test_it_imports_nothing() -> None:
    """One file that can be copied into any project."""
    assert "import " not in "".join(
        line for line in clients.MODULE.read_text().splitlines() if not line.lstrip().startswith(("*", "/*"))
    )
