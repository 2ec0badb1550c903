"""A program of others ends with whoever has started it, however that ends."""

import signal
import subprocess
import sys

import psutil
import pytest

from tests.kit.story import WITHIN

STARTS = """
import subprocess, sys
leash = [sys.executable, "-m", "cage.leash", sys.argv[1]]
child = subprocess.Popen([*leash, "sh", "-c", "trap 'exit 7' USR1; echo running; while :; do sleep 0.05; done"])
print(child.pid, flush=True)
child.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not tell")
@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGKILL])
def test_a_child_gets_its_signal_when_its_parent_is_killed(number: signal.Signals) -> None:
    """The one that it was started with."""
    command = [sys.executable, "-c", STARTS, str(int(number))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        assert parent.stdout.readline() == "running\n"
        parent.kill()
        assert psutil.wait_procs([child], timeout=WITHIN)[1] == []
