"""What another one feels: a program that asks a server for /health all the time, and how long each answer took.

It runs in a process of its own, so that whoever makes the load does not hold it up. One connection is kept, and the
next question comes when the last was answered.
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

SETTLE = 0.03  # seconds before and after, in which all is as usual


class Felt:
    """`during` names what happens meanwhile; `felt` says, once all is over, for how long it was felt each time."""

    def __init__(self) -> None:
        self.answers: list[tuple[float, float]] = []  # when each was asked for, and the seconds that it took
        self._times: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)

    @asynccontextmanager
    async def during(self, name: str, size: int) -> AsyncIterator[None]:
        """What happens in here is called so, and has so many bytes."""
        await asyncio.sleep(SETTLE)
        began = time.monotonic()
        yield
        await asyncio.sleep(SETTLE)
        self._times[name, size].append((began, time.monotonic()))

    @property
    def usual(self) -> float:
        """Seconds of an answer, as most are."""
        return median(took for _, took in self.answers)

    def felt(self) -> dict[tuple[str, int], list[float]]:
        """Seconds that the slowest answer took in each of these times, beyond the usual."""
        usual = self.usual
        return {named: [self._slowest(*between) - usual for between in times] for named, times in self._times.items()}

    def _slowest(self, began: float, ended: float) -> float:
        first = max(0, bisect_left(self.answers, (began, 0.0)) - 1)  # the one before was perhaps under way
        return max(took for _, took in self.answers[first : bisect_left(self.answers, (ended, 0.0))])


@asynccontextmanager
async def felt(port: int) -> AsyncIterator[Felt]:
    """Ask until this ends; the answers are there after it."""
    others = Felt()
    asker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.felt", str(port), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert asker.stdout
        await asker.stdout.readline()
        yield others
    finally:
        told, _ = await asker.communicate(b"")
    others.answers = [(float(at), float(took)) for at, took in (line.split() for line in told.splitlines())]


def ask(port: int) -> None:
    """Ask until stdin closes, then print when, and the seconds."""
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
