"""The server under test, as a process with a core of its own, and its use of CPU, memory and handles."""

import asyncio
import os
import re
import ssl
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import psutil

from bench.marks import GREETING_WORDS, ID_SECRET, text

METRICS = re.compile(r"metrics at (\S+)")
LISTENING = re.compile(r"listening on http://\S+?:(\d+),")
ROOT = Path(__file__).parents[1]
PERSONAS = ROOT / "personas" / "astrologer_personas.json"
RELAYS = {"relay": "bench.relay", "straight relay": "bench.straight_relay"}
PEERS = {"openai-agents": "bench.peers.openai_agents_server", "pipecat": "bench.peers.pipecat_server"}
KINDS = ("server", *RELAYS, *PEERS)
ENVIRONMENTS = ROOT / ".peers"
START_SECONDS = 180.0
STOP_SECONDS = 20.0
HIDDEN = (
    "OPENAI_API_KEY",
    "UPSTREAM_URL",
    "UPSTREAM_API_KEY",
    "PORT",
    "HOST",
    "PERSONAS_FILE",
    "LOCAL_LLM_URL",
    "ADMIN_PORT",
    "WORKERS",
)
UNLIMITED = ["--sessions", "5000", "--connects", "100000", "--calls", "100000", "--takeovers", "100000"]
BUSY = ("user", "nice", "system", "irq", "softirq", "steal")
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]


@dataclass
class Cost:
    """CPU used in some time, in shares of a core: by the server, by the load generator, by all other processes."""

    server: float
    load: float
    others: float


@dataclass(frozen=True)
class Start:
    """How a server is started: with which options of `serve`, and from which checkout."""

    options: Sequence[str] = tuple(UNLIMITED)
    tree: Path = ROOT
    environment: Mapping[str, str] = field(default_factory=dict)
    handles: int = 0
    """The limit of open files and sockets; 0 for that of this process."""
    unread: bool = False
    """True: its log is a pipe that is not read any more once the server listens."""
    pinned: bool = True
    """It has the first core, and this process the last; else all of them are there for everybody."""


class ServerProcess:
    """A running server on `port`; of an old checkout, or of another program, `metrics` may lead nowhere."""

    def __init__(self, pid: int, port: int, log: Path, metrics: str) -> None:
        self.process, self.port, self.log, self.metrics = psutil.Process(pid), port, log, metrics
        self.mark()

    def mark(self) -> None:
        """Begin to measure CPU."""
        self._since = time.monotonic(), self._cpu(), self._workers(), time.process_time(), self._machine()

    def cost(self) -> Cost:
        """The CPU used since the last `mark`."""
        at, server, workers, load, machine = self._since
        wall, server, load = time.monotonic() - at, self._cpu() - server, time.process_time() - load
        others = self._machine() - machine - server - load - max(0.0, self._workers() - workers)
        return Cost(server / wall, load / wall, max(0.0, others) / wall)

    def memory(self) -> int:
        """Bytes of memory that are unique to the process (USS)."""
        try:
            return int(self.process.memory_full_info().uss)
        except psutil.AccessDenied:  # the server lets nobody but root look closer
            info = self.process.memory_info()
            return int(info.rss - info.shared)

    def handles(self) -> int:
        """The number of open files and sockets."""
        return os.stat(f"/proc/{self.process.pid}/fd").st_size or int(self.process.num_fds())

    def children(self) -> int:
        """The number of its child processes, with theirs."""
        return len(self.process.children(recursive=True))

    def _cpu(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def _workers(self) -> float:
        """CPU seconds of the server's decoders, which share its core."""
        total = 0.0
        for child in self.process.children():
            with suppress(psutil.NoSuchProcess):
                total += sum(child.cpu_times()[:2])
        return total

    @staticmethod
    def _machine() -> float:
        times = psutil.cpu_times()
        return float(sum(getattr(times, name, 0.0) for name in BUSY))


def pin(core: int, pid: int = 0) -> None:
    """Keep a process on one of our cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, {CORES[core % len(CORES)]})


def unpin() -> None:
    """Let this process use all of them again."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, CORES)


@asynccontextmanager
async def server_process(
    kind: str, upstream: str, trust: Path | None = None, start: Start | None = None
) -> AsyncIterator[ServerProcess]:
    """Run one of KINDS, by default on the first core, this process on the last. Raises OSError if it does not start."""
    start = start or Start()
    environment = {name: value for name, value in os.environ.items() if name not in HIDDEN}
    environment |= {"PYTHONPATH": str(start.tree), "ID_SECRET": ID_SECRET, "LATE_MS": "1000000", **start.environment}
    if trust:
        environment["SSL_CERT_FILE"] = str(trust)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, _Log(Path(folder, "log"), start.unread) as log:
        environment["PERSONAS_FILE"] = str(_with_numbered_greetings(Path(folder, "personas.json")))
        child = await _start(_command(kind, upstream, start.options), environment, log, start)
        try:
            if start.pinned:
                pin(0, child.pid)
                pin(-1)
            port = await _port(log, child)
            found = METRICS.search(log.text())
            metrics = found[1] if found else f"http://127.0.0.1:{port}/metrics"
            yield ServerProcess(child.pid, port, log.file, metrics)
        finally:
            await ended(child)


def _command(kind: str, upstream: str, options: Sequence[str]) -> list[str]:
    """How a kind of server is started. Raises OSError if it is a peer that is not installed."""
    if kind == "server":
        return [sys.executable, "-m", "supervisor", "serve", "--port", "0", "--upstream-url", upstream, *options]
    if kind not in PEERS:
        return [sys.executable, "-m", RELAYS[kind], upstream]
    python = ENVIRONMENTS / kind / "bin" / "python"
    if not python.exists():
        raise OSError(f"{kind} is not installed: make peers")
    return [str(python), "-m", PEERS[kind], upstream]


class _Log:
    """The stderr of a server: a file, or a pipe that is read only by `text`."""

    def __init__(self, file: Path, piped: bool) -> None:
        self.file, self._kept = file, file.open("wb")
        self._pipe = os.pipe() if piped else None
        if self._pipe:
            os.set_blocking(self._pipe[0], False)

    @property
    def fileno(self) -> int:
        return self._pipe[1] if self._pipe else self._kept.fileno()

    def text(self) -> str:
        """All that was written so far."""
        if self._pipe:
            with suppress(BlockingIOError):
                self._kept.write(os.read(self._pipe[0], 65536))
                self._kept.flush()
        return self.file.read_text(errors="replace")

    def __enter__(self) -> "_Log":
        return self

    def __exit__(self, *error: object) -> None:
        self._kept.close()
        for end in self._pipe or ():
            os.close(end)


async def ended(child: asyncio.subprocess.Process) -> None:
    """Terminate a process; after STOP_SECONDS, kill it."""
    if child.returncode is None:
        child.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await child.wait()
    except TimeoutError:
        child.kill()
        await child.wait()


def _with_numbered_greetings(file: Path) -> Path:
    """Write the personas that ship, with numbered words as greetings, to a file."""
    catalogue = orjson.loads(PERSONAS.read_bytes())
    for persona in catalogue["astrologers"]:
        persona["greeting"] = "".join(text(0, position) for position in range(GREETING_WORDS)).strip()
    file.write_bytes(orjson.dumps(catalogue))
    return file


async def _start(
    command: list[str], environment: dict[str, str], log: _Log, start: Start
) -> asyncio.subprocess.Process:
    if start.handles:
        command = ["sh", "-c", f'ulimit -n {start.handles} && exec "$@"', "sh", *command]
    return await asyncio.create_subprocess_exec(
        *command, stderr=log.fileno, stdin=asyncio.subprocess.PIPE, env=environment, cwd=start.tree
    )


async def _port(log: _Log, child: asyncio.subprocess.Process) -> int:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and child.returncode is None:
        if found := LISTENING.search(log.text()):
            return int(found[1])
        await asyncio.sleep(0.05)
    raise OSError(f"the server did not start: {log.text()[-2000:]}")


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Make a certificate for 127.0.0.1. Returns the upstream's TLS context, and the CA file for the server."""
    import trustme

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trust = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(trust))
    return context, trust
