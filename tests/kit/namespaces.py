"""A network namespace: a machine of its own, as far as the network goes, with cables to here that can be pulled.

    here ── 198.18.n.1 ═══ cable ═══ 198.18.n.2 ── in the namespace

Here is a namespace as well: a device that comes or goes in the machine's own network breaks off whatever browsers of
other tests are loading (ERR_NETWORK_CHANGED). Needs Linux, iproute2 and the right to make namespaces (root); without
them such tests are skipped.
"""

import ctypes
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from tests.kit.story import WITHIN

NETWORKS = IPv4Network("198.18.0.0/15")  # kept free for tests of networks (RFC 2544)
READ = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"

CLONE_NEWNET = 0x40000000  # <linux/sched.h>
OURS = Path("/proc/thread-self/ns/net")

_numbers = itertools.count()


def ip(*words: str) -> None:
    """Raises CalledProcessError."""
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=WITHIN)


@dataclass(frozen=True, slots=True)
class Cable:
    """A pair of veth devices. `here` and `there` are the addresses of its ends, `device` is ours."""

    device: str
    here: str
    there: str

    def pull(self) -> None:
        """Nothing goes through any more, and nobody is told: on their end the carrier is gone."""
        ip("link", "set", self.device, "down")

    def plug(self) -> None:
        """All goes through again."""
        ip("link", "set", self.device, "up")


@dataclass(frozen=True, slots=True)
class Namespace:
    """It ends with `stack`, and with it its cables."""

    name: str
    stack: ExitStack

    @property
    def entering(self) -> tuple[str, ...]:
        """The words before a command that is to run in it; the process is the command's."""
        return ("ip", "netns", "exec", self.name)

    def cable(self) -> Cable:
        """One more from here to it, with a network of its own."""
        number = os.getpid() * 8 + next(_numbers) % 8
        size = NETWORKS.num_addresses // 4
        first = NETWORKS.network_address + number % size * 4
        cable = Cable(f"v{number:x}", str(first + 1), str(first + 2))
        ip("link", "add", cable.device, "type", "veth", "peer", "name", cable.device, "netns", self.name)
        self.stack.callback(subprocess.run, ["ip", "link", "del", cable.device], capture_output=True, timeout=WITHIN)
        ip("addr", "add", f"{cable.here}/30", "dev", cable.device)
        ip("-n", self.name, "addr", "add", f"{cable.there}/30", "dev", cable.device)
        ip("-n", self.name, "link", "set", cable.device, "up")
        cable.plug()
        return cable

    def read(self, url: str) -> str:
        """What an address says to whoever asks in the namespace."""
        command = [*self.entering, sys.executable, "-c", READ, url]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=WITHIN).stdout

    def connections(self) -> list[str]:
        """The TCP connections that a program in it has open, each with both of its addresses."""
        command = [*self.entering, "ss", "-Htn", "state", "connected", "exclude", "time-wait", "exclude", "syn-recv"]
        told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=WITHIN).stdout
        return [" ".join(line.split()) for line in told.splitlines()]


@contextmanager
def alone() -> Iterator[None]:
    """Until the context ends, this thread and what it starts have a network of their own."""
    libc = ctypes.CDLL(None, use_errno=True)
    with OURS.open() as before:
        if libc.unshare(CLONE_NEWNET):
            pytest.skip(f"no namespaces of networks here: {os.strerror(ctypes.get_errno())}")
        try:
            ip("link", "set", "lo", "up")
            yield
        finally:
            assert libc.setns(before.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())


@contextmanager
def namespace() -> Iterator[Namespace]:
    """One without cables, from a place that is `alone`; what still runs in it when the context ends keeps it."""
    if not shutil.which("ip"):
        pytest.skip("no namespaces of networks: apt-get install iproute2")
    with alone(), _named() as place:
        yield place


@contextmanager
def _named() -> Iterator[Namespace]:
    name = f"voice-{os.getpid()}-{next(_numbers)}"
    try:
        ip("netns", "add", name)
    except subprocess.CalledProcessError as refused:
        pytest.skip(f"no namespaces of networks here: {refused.stderr.decode().strip()}")
    with ExitStack() as stack:
        stack.callback(subprocess.run, ["ip", "netns", "del", name], capture_output=True, timeout=WITHIN)
        ip("-n", name, "link", "set", "lo", "up")
        yield Namespace(name, stack)
