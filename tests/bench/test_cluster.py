"""`make cluster`, as a user runs it: a call survives the kill -9 of its server."""

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.process import START_SECONDS
from tests.kit.story import WITHIN

ROOT = Path(__file__).parents[2]
NEEDS = pytest.mark.skipif(
    not (shutil.which("haproxy") and shutil.which("redis-server")), reason="apt-get install haproxy redis-server"
)


def told(*command: str) -> tuple[int, str]:
    """The exit code of a program, and what it said. It is interrupted, as by Ctrl-C, if it takes too long."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        output, _ = process.communicate(timeout=START_SECONDS + WITHIN)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=WITHIN)
    return process.returncode, output


def test_make_runs_it() -> None:
    """It is a command of the Makefile."""
    assert "\ncluster: setup\n\t$(PY) -m bench.cluster\n" in (ROOT / "Makefile").read_text()


@NEEDS
@pytest.mark.thorough
def test_a_call_survives_the_death_of_its_server() -> None:
    """Another worker has it afterwards, and answers; the exit code says so."""
    code, output = told(sys.executable, "-m", "bench.cluster", "--mode", "clip")
    assert code == 0, output
    story = re.search(
        r"the persona: \S.*(n\d), which has the call, is killed.*the call is back after \d+ ms.*the persona: \S.*"
        r"(n\d) has the call now.*the call went on, on another server\n$",
        output,
        re.DOTALL,
    )
    assert story, output
    assert {story[1], story[2]} == {"n1", "n2"}
