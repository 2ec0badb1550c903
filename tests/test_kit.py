"""What other tests stand on: ports that are theirs, and processes that end while they are looked at."""

import socket
import subprocess
import sys

import psutil
import pytest

from tests.kit.ports import free_port
from tests.kit.story import ended


def test_a_free_port_is_nobodys_but_whose_who_is_told_it() -> None:
    """Nobody listens there, a stranger cannot, and a server that is told it can, more than once."""
    address = ("127.0.0.1", free_port())
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind(address)
    for _ in range(2):
        with socket.create_server(address), socket.create_connection(address):
            pass


def test_a_process_that_ends_while_it_is_looked_at_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two looks somebody may have waited for it: then nothing of it is left to look at."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as started:
        process, look = psutil.Process(started.pid), psutil.Process.status
        assert not ended(process)

        def late(self: psutil.Process) -> str:
            started.kill()
            started.wait()
            return look(self)

        monkeypatch.setattr(psutil.Process, "status", late)
        assert ended(process)
    assert ended(started.pid)
