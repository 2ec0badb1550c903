"""The seat of one server of several: behind HAProxy, on unix sockets, told by whoever has started it."""

import asyncio
import os
import shutil
import socket
from pathlib import Path

from cli.failure import CannotServe
from cli.forced_exit import exit_within
from cli.seat import Shores
from cli.settings import Settings
from cli.shutdown import Shutdown
from supervisor import STOP_SECONDS
from web.addresses import LOOPBACK, OURSELVES, Addresses
from web.admin import AdminShore

FOLDER = "WORKER_FOLDER"
"""Names the folder of the sockets in the environment of a worker, which is one by that."""

STDIN = 0
ORPHAN_SECONDS = STOP_SECONDS + 10  # to end in order, once whoever has started it has died


def callers_socket(folder: Path, name: str) -> Path:
    """Where HAProxy reaches a worker."""
    return folder / name


def admin_socket(folder: Path, name: str) -> Path:
    """Where its figures are read."""
    return folder / f"{name}.admin"


class Worker:
    """One of several. A line on stdin, a number of seconds, asks it to end within these; a second one, at once.

    If a signal has asked it before, the first line does not hurry it: its calls have the time that they were told.

    If stdin ends, whoever has started it has died: it ends at once, in order, and takes the sockets away.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._paths = folder, list[Path]()
        self._rest, self._orphan, self._asked = b"", False, False

    def take(self, settings: Settings) -> Shores:
        """Bind the sockets of its name in the folder. Raises CannotServe."""
        name = settings.fleet.node
        self._paths = [callers_socket(self._folder, name), admin_socket(self._folder, name)]
        callers = _bind(self._paths[0])
        try:
            admin = AdminShore(_bind(self._paths[1]), hosts=settings.allow_host)
        except CannotServe:
            callers.close()
            raise
        unlimited = OURSELVES if settings.limit_loopback else LOOPBACK
        return Shores(callers, admin, Addresses(settings.trusted_proxy, unlimited, behind_ours=True))

    def attend(self, shutdown: Shutdown, settings: Settings) -> None:
        """From now on stdin and signals end it."""
        shutdown.on_signals(settings.drain_seconds)
        os.set_blocking(STDIN, False)
        asyncio.get_running_loop().add_reader(STDIN, self._told, shutdown)

    def _told(self, shutdown: Shutdown) -> None:
        try:
            data = os.read(STDIN, 4096)
        except BlockingIOError:
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if self._asked or not shutdown.requested.is_set():
                shutdown.ask(float(line))
            self._asked = True
        if not data:
            asyncio.get_running_loop().remove_reader(STDIN)
            self._orphan = True
            exit_within(ORPHAN_SECONDS, 1)
            shutdown.ask(0.0)
            shutdown.ask(0.0)

    def serving(self, shores: Shores) -> None:
        """Whoever has started it sees that it accepts."""

    def leave(self, shores: Shores) -> None:
        """Close the sockets, and take them away; the last orphan takes the folder."""
        shores.close()
        for path in self._paths:
            path.unlink(missing_ok=True)
        if self._orphan and not any(self._folder.glob("*.admin")):
            shutil.rmtree(self._folder, ignore_errors=True)


def _bind(path: Path) -> socket.socket:
    """Bind a socket, in the place of one that a predecessor has left; it listens later. Raises CannotServe."""
    listener = socket.socket(socket.AF_UNIX)
    try:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise CannotServe(f"A worker cannot listen on {path} ({error.strerror or error}).") from None
    return listener
