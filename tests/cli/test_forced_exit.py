"""The end of a process that does not end by itself."""

import subprocess
import sys

from tests.kit.process import START_SECONDS


def test_it_ends_with_the_code_that_it_was_told() -> None:
    """Whatever it waits for."""
    code = "import threading; from cli.forced_exit import exit_within; exit_within(0.01, 3); threading.Event().wait()"
    assert subprocess.run([sys.executable, "-c", code], timeout=START_SECONDS, check=False).returncode == 3
