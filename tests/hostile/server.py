"""The closed server that is attacked, between callers who behave and a model; and what it says of itself."""

import re
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from bench.attacks.server import STRANGERS, Lateness
from bench.callers import Call, Crowd
from bench.load import Load
from bench.marks import user
from bench.server_process import ServerProcess, Start, server_process
from bench.upstream import Upstream
from tests.hostile import words
from tests.kit.doors import AUDIENCE, ISSUER, JWT_SECRET, KEY, call_token

ENVIRONMENT = {
    "API_KEY": KEY,
    "JWT_SECRET": JWT_SECRET,
    "JWT_AUDIENCE": AUDIENCE,
    "JWT_ISSUER": ISSUER,
    "ADMIN_TOKEN": words.ADMIN_TOKEN,
    "UPSTREAM_API_KEY": words.UPSTREAM_KEY,
}
LEFT = re.compile(
    r"^(voice_(?:actors|tasks|callers|calls_away|waiting_bytes|clips_waiting|decoders_busy)\b\S*) (\S+)$", re.MULTILINE
)


class Invited(Crowd):
    """Callers who have a token each."""

    async def dial(self, who: int = 0, query: dict[str, str] | None = None, silent: bool = False) -> Call:
        """Connect, with a token."""
        number = who or next(self._numbers)
        return await super().dial(number, {**(query or {}), "token": call_token(user(number))}, silent)


@asynccontextmanager
async def attacked_server() -> AsyncIterator[Load]:
    """Start all three; strangers are those who come from another loopback address. Raises OSError."""
    upstream = Upstream()
    await upstream.open()
    address = f"ws://127.0.0.1:{upstream.port}/v1/realtime"
    try:
        async with server_process("server", address, start=Start([STRANGERS], environment=ENVIRONMENT)) as host:
            crowd = Invited(host.port)
            try:
                yield Load(upstream, host, crowd)
            finally:
                await crowd.close()
    finally:
        await upstream.close()


def admin_port(host: ServerProcess) -> int:
    """Where its admin shore listens."""
    return urlsplit(host.metrics).port or 0


def metrics(host: ServerProcess) -> str:
    """All of them. Raises OSError."""
    request = urllib.request.Request(host.metrics, headers={"Authorization": f"Bearer {words.ADMIN_TOKEN}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def counted(host: ServerProcess) -> dict[str, float]:
    """What a call must not leave behind: its own counts, and what is counted from outside. Raises OSError."""
    counts = {name: float(value) for name, value in LEFT.findall(metrics(host))}
    tasks = counts.pop("voice_tasks") - 1  # that which answers us
    return {
        **counts, "tasks": tasks, "processes": host.children(), "threads": host.process.num_threads(),
        "connections": len([one for one in host.process.net_connections("tcp") if one.status == "ESTABLISHED"]),
    }  # fmt: skip


class AdminLateness(Lateness):
    """With the token of the admin shore."""

    def __init__(self, host: ServerProcess) -> None:
        super().__init__(host.metrics)
        self._host = host

    def _text(self) -> str:
        return metrics(self._host)
