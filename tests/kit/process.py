"""The server as its users run it: a process of its own, found by the address that it prints."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.kit import secrets
from tests.kit.story import WITHIN

METRICS = re.compile(r"metrics at (\S+)$")
LISTENING = re.compile(r"listening on https?://(\S+?),")
START_SECONDS = 180.0
STOP_SECONDS = 60.0
NEVER_LATE = 10**6  # ms: a busy machine refuses no call
ADDRESSES = (
    "UPSTREAM_URL",
    "LOCAL_LLM_URL",
    "HOST",
    "PORT",
    "PERSONAS_FILE",
    "ADMIN_HOST",
    "ADMIN_PORT",
    "BUDGET_FILE",
    "WORKERS",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
)
SECRETS = (
    "OPENAI_API_KEY", "UPSTREAM_API_KEY", "API_KEY", "API_KEYS_FILE", "JWT_SECRET", "JWT_KEYS", "SERVE_OPEN",
    "ADMIN_TOKEN", "BUDGET_FILE",
)  # fmt: skip
KEYS = (*ADDRESSES, *SECRETS)
PROGRAM = ("-m", "supervisor")


@dataclass
class Server:
    """A running `python -m supervisor serve`; `log` grows as it writes."""

    process: subprocess.Popen[str]
    address: str = ""
    metrics: str = ""
    """Where the metrics are."""
    log: list[str] = field(default_factory=list)
    listening: threading.Event = field(default_factory=threading.Event)
    news: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        """Where phones call."""
        return f"ws://{self.address}"

    def read(self) -> None:
        """Keep what it writes, until it ends."""
        assert self.process.stderr
        for line in self.process.stderr:
            with self.news:
                self.log.append(line)
                secrets.look_in_log("log of a process", line)
                self.news.notify_all()
            if found := METRICS.search(line):
                self.metrics = found[1]
            if found := LISTENING.search(line):
                self.address = found[1]
                self.listening.set()
        self.listening.set()

    def lines(self, about: str, count: int, within: float = WITHIN) -> list[str]:
        """The lines of its log that hold `about`, once there are so many."""
        with self.news:
            assert self.news.wait_for(lambda: len(self._about(about)) >= count, within), "".join(self.log)
            return self._about(about)

    def _about(self, about: str) -> list[str]:
        return [line for line in self.log if about in line]

    def stop(self) -> int:
        """Ask it to end; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


@contextmanager
def server(
    *options: str,
    handles: int = 0,
    terminal: int = 0,
    program: Sequence[str] = PROGRAM,
    entering: Sequence[str] = (),
    model: Mapping[str, str] | None = None,
    **environment: str,
) -> Iterator[Server]:
    """Start one on a free port, and see that it ends. It may have so many `handles`; 0: as many as we may.

    `terminal` is a pseudo-terminal's end for it to run in, 0 for none. `program`: what Python is told to run;
    `entering` are the words before its command. `model`: who answers, if not a local engine of its own.
    """
    ours = {name: value for name, value in os.environ.items() if name not in KEYS and "proxy" not in name.lower()}
    ours["ENGINE_WAIT"] = str(WITHIN)  # on a busy machine the engine is slow, and would say that it is full
    ours["LATE_MS"] = str(NEVER_LATE)
    ours["DRAIN_SECONDS"] = "0"  # no test waits for calls that go on, but those of the drain
    command = [*entering, sys.executable, *program, "serve", "--port", "0", *options]
    if handles:
        command = ["bash", "-c", f'ulimit -n {handles}; exec "$@"', "bash", *command]
    if terminal:
        command = ["setsid", "--ctty", *command]
    env, stdin = {**ours, **(model or {}), **environment}, terminal or None
    process = subprocess.Popen(command, stdin=stdin, stderr=subprocess.PIPE, text=True, env=env)
    running = Server(process)
    reader = threading.Thread(target=running.read, daemon=True)
    reader.start()
    try:
        assert running.listening.wait(START_SECONDS), "it did not start in time"
        assert running.address, "".join(running.log)
        yield running
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(STOP_SECONDS)
        finally:
            process.kill()
            reader.join(5)
            assert process.stderr
            process.stderr.close()
