"""Measures how long a server's event loop is blocked: a process requests /health all the time and times each response.

It is a process of its own, so that the load generator does not delay it. It uses one connection, and sends the next
request when the last one was answered.
"""

import asyncio
import socket
import sys
import threading
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from statistics import median

SETTLE = 0.03  # seconds before and after each measured action


class HealthProbe:
    """`during` marks the time of an action. After the end, `added` gives the latency that each action added."""

    def __init__(self) -> None:
        self.answers: list[tuple[float, float]] = []  # the time of each request, and seconds until its response
        self._times: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)

    @asynccontextmanager
    async def during(self, name: str, size: int) -> AsyncIterator[None]:
        """Mark the time of an action with this name and so many bytes."""
        await asyncio.sleep(SETTLE)
        began = time.monotonic()
        yield
        await asyncio.sleep(SETTLE)
        self._times[name, size].append((began, time.monotonic()))

    @property
    def usual(self) -> float:
        """The median latency in seconds."""
        return median(took for _, took in self.answers)

    def added(self) -> dict[tuple[str, int], list[float]]:
        """By name and size, for each time: by how many seconds the slowest response exceeded the median."""
        usual = self.usual
        return {named: [self._slowest(*between) - usual for between in times] for named, times in self._times.items()}

    def _slowest(self, began: float, ended: float) -> float:
        first = max(0, bisect_left(self.answers, (began, 0.0)) - 1)  # the request before may not have been answered
        return max(took for _, took in self.answers[first : bisect_left(self.answers, (ended, 0.0))])


@asynccontextmanager
async def health_probe(port: int) -> AsyncIterator[HealthProbe]:
    """Run the process within the context. `answers` is filled at its end."""
    probe = HealthProbe()
    asker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.health_probe",
        str(port),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert asker.stdout
        await asker.stdout.readline()
        yield probe
    finally:
        told, _ = await asker.communicate(b"")
    probe.answers = [(float(at), float(took)) for at, took in (line.split() for line in told.splitlines())]


def ask(port: int) -> None:
    """Send requests until stdin closes, then print the time and the seconds of each."""
    over = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=wait, daemon=True).start()
    question = f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    answers = []
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        print("ready", flush=True)
        while not over.is_set():
            at = time.monotonic()
            line.sendall(question)
            if not line.recv(4096):
                break
            answers.append((at, time.monotonic() - at))
    for at, took in answers:
        print(at, took)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        ask(int(sys.argv[1]))
