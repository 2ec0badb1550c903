"""HAProxy as the front of a fleet: what it listens on, its certificate, and how it is started.

Its configuration, and the certificate with its key, are files in memory that it inherits: none is left on a disk,
however this process ends.
"""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from cage import clean_environment
from cli.failure import CannotServe
from cli.file_descriptors import REQUESTS
from cli.fleet.kept import Program
from cli.fleet.seat import callers_socket
from cli.haproxy import Manner, Node, check, configuration, find_haproxy
from cli.seat import Shores
from cli.settings import Settings
from web.addresses import LOOPBACK, OURSELVES

NAME = "haproxy"
MOST = 20_000  # connections
OWN = 200  # handles for listeners and for asking the workers whether they are ready
STOP_SECONDS = 20  # after its parent has died


class Front:
    """HAProxy in front of the workers of these names, whose sockets are in `folder`. Raises CannotServe."""

    def __init__(self, settings: Settings, shores: Shores, folder: Path, names: Sequence[str], handles: int) -> None:
        self._program = find_haproxy()
        self._alive = folder / NAME
        self._open: list[int] = []
        nodes = [Node(name, f"unix@{callers_socket(folder, name)}") for name in names]
        manner = Manner(
            certificate=self._file(_pem(settings)) if shores.tls else "",
            proxies=settings.trusted_proxy,
            unlimited=OURSELVES if settings.limit_loopback else LOOPBACK,
            address_connections=settings.limits.address_connections,
            address_connects=settings.limits.address_connects,
            sticky=True,
            alive=f"unix@{self._alive}",
            stop_seconds=STOP_SECONDS,
        )
        listener = shores.callers.fileno()
        most = _connections(handles, settings.limits.sessions)
        self._text = configuration(f"fd@{listener}", nodes, most, manner=manner)
        self._configuration = self._file(self._text.encode())
        self._handles = [listener, *self._open]

    def check(self) -> None:
        """Have HAProxy look at its configuration. Raises CannotServe."""
        check(self._text, self._handles)

    def program(self, loss: str) -> Program:
        """How it is started. `loss` is what its death means."""
        leash = [sys.executable, "-m", "cage.leash", str(int(signal.SIGUSR1))]
        command = [*leash, self._program, "-db", "-f", self._configuration]
        return Program(NAME, command, self._alive, clean_environment(), self._handles, loss)

    def close(self) -> None:
        """Forget the files."""
        while self._open:
            os.close(self._open.pop())

    def _file(self, data: bytes) -> str:
        """A file in memory, by the path that a child which inherits it can open. Raises CannotServe."""
        try:
            handle = os.memfd_create(NAME)
        except (AttributeError, OSError) as error:
            raise CannotServe(f"--workers: this system has no files in memory ({error}).") from None
        self._open.append(handle)
        with os.fdopen(handle, "wb", closefd=False) as file:
            file.write(data)
        return f"/dev/fd/{handle}"


def _pem(settings: Settings) -> bytes:
    """The certificate and its key, which HAProxy wants in one file."""
    files = [file for file in (settings.tls_cert, settings.tls_key) if file]
    return b"\n".join(file.read_bytes() for file in files)


def _connections(handles: int, sessions: int) -> int:
    """How many connections HAProxy may have, each of which needs two handles. Raises CannotServe."""
    most = min(MOST, (handles - OWN) // 2)
    if most < (least := sessions + REQUESTS):
        raise CannotServe(
            f"{sessions} calls at once need {2 * least + OWN} handles in HAProxy, and the system allows {handles}: "
            "raise the limit (`ulimit -n`), or lower --sessions.",
            2,
        )
    return most
