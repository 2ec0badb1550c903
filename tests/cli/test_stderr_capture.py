"""What comes to stderr past the log, from C and from child processes."""

import subprocess
import sys

import pytest

from cli.stderr_capture import LONGEST_LINE
from tests.kit.process import START_SECONDS

CODE = """
import logging, os, subprocess, sys
from cli.stderr_capture import capture_stderr
from cli.log import Log
from actors.counters import Counters

with capture_stderr() as stderr:
    logging.basicConfig(level="INFO", handlers=[Log(Counters(), stderr)])
    {code}
print("the end", file=sys.stderr)
"""


def run(code: str) -> list[str]:
    """What a process writes to stderr that does this meanwhile."""
    command = [sys.executable, "-c", CODE.format(code=code)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=False)
    return done.stderr.splitlines()


@pytest.mark.parametrize(
    "code",
    [
        "os.write(2, b'one\\ntwo\\n')",
        "print('one', file=sys.stderr); print('two', file=sys.stderr)",
        "subprocess.run(['sh', '-c', 'echo one >&2; echo two >&2'])",
        "os.write(2, b'one\\ntwo')",
    ],
)
def test_it_becomes_lines_of_the_log(code: str) -> None:
    """Whoever writes it; afterwards stderr is as it was."""
    lines = run(code)
    assert [line.split(": ", 1)[-1] for line in lines if "stderr" in line] == ["one", "two"]
    assert "the end" in lines


def test_a_flood_is_cut_short_and_a_long_line_comes_in_pieces() -> None:
    """A library that complains of each sample must not fill the log."""
    lines = run("os.write(2, b'x' * 20_000 + b'\\n'); os.write(2, b'flood\\n' * 10_000)")
    shown = len([line for line in lines if "flood" in line])
    assert shown <= 2_000
    told = [int(line.split()[-5]) for line in lines if line.endswith("lines are not shown")]
    assert shown + sum(told) == 10_000, "also those after which nothing more came"
    assert max(map(len, lines)) < LONGEST_LINE + 100
    assert sum(line.count("x") for line in lines) >= 20_000


def test_a_crash_in_c_shows_its_stack() -> None:
    """No thread is left then to pass it on."""
    lines = run("import faulthandler; faulthandler._sigsegv()")
    assert any("Segmentation fault" in line for line in lines)
