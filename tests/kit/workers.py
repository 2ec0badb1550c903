"""A server of several workers, as its users run it, in front of a stand-in for the model."""

import asyncio
import urllib.request
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import aiohttp
import psutil
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from bench.upstream import Upstream
from phone import Phone
from tests.kit.four import TINA
from tests.kit.process import Server, server
from tests.kit.story import WITHIN, ended, until


async def notified(phone: Phone, code: str) -> None:
    """Wait for this notice; on a busy machine others come before, as of a model that is slow."""
    while (await phone.hear("notice"))["code"] != code:
        pass


@dataclass
class Fleet:
    """A running one."""

    server: Server

    def children(self, *words: str) -> list[psutil.Process]:
        """The processes that it has started and that still run, the oldest first, with all of these words."""
        found = []
        for child in psutil.Process(self.server.process.pid).children():
            with suppress(psutil.NoSuchProcess):
                if child.status() != psutil.STATUS_ZOMBIE and set(words) <= set(child.cmdline()):
                    found.append(child)
        return sorted(found, key=psutil.Process.create_time)

    @property
    def workers(self) -> list[psutil.Process]:
        """Those that serve."""
        return self.children("supervisor", "serve")

    @property
    def haproxy(self) -> psutil.Process:
        """The one in front of them."""
        (found,) = self.children("-db")
        return found

    async def said(self, about: str, count: int, within: float = WITHIN) -> list[str]:
        """The lines of its log that hold `about`, once there are so many."""
        return await asyncio.to_thread(self.server.lines, about, count, within)

    async def samples(self) -> list[Sample]:
        """All figures."""
        text = await asyncio.to_thread(_read, self.server.metrics)
        return [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    async def figure(self, name: str, **labels: str) -> dict[str, float]:
        """By worker: the value of a metric with these labels; its sum, where it has more."""
        found: dict[str, float] = {}
        for sample in await self.samples():
            if sample.name == name and labels.items() <= sample.labels.items():
                found[sample.labels["worker"]] = found.get(sample.labels["worker"], 0.0) + sample.value
        return found

    async def becomes(self, name: str, **expected: float) -> None:
        """Wait until a metric has these values, by worker."""
        async with asyncio.timeout(WITHIN):
            while not expected.items() <= (await self.figure(name)).items():  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.05)

    async def shown(self, calls: int) -> list[str]:
        """The worker of each call that the live view shows, once there are so many."""
        url, rows, order = f"{self.server.metrics.removesuffix('/metrics')}/live/socket", dict[str, str](), list[str]()
        async with asyncio.timeout(WITHIN), aiohttp.ClientSession() as client, client.ws_connect(url) as socket:
            while len(order) < calls:
                now = await socket.receive_json()
                order = now["order"]
                rows |= {row["session"]: row["worker"] for row in now["rows"]}
        return [rows[session] for session in order]

    @asynccontextmanager
    async def call(self, user: str) -> AsyncIterator[Phone]:
        """A call that is on the line while the context is open."""
        async with Phone(self.server.url, user) as phone:
            await phone.choose(TINA, mode="stream")
            await phone.hear("sound")
            yield phone

    async def calls(self, stack: AsyncExitStack, *users: str) -> list[Phone]:
        """Calls one after another, each of which stays on the line."""
        return [await stack.enter_async_context(self.call(user)) for user in users]


@asynccontextmanager
async def fleet(*options: str, workers: int = 2, terminal: int = 0, **environment: str) -> AsyncIterator[Fleet]:
    """One that is ready for calls, with so many workers; `terminal` as of `server`."""
    upstream = Upstream(words=500, gap=0.2)
    await upstream.open()
    url = f"ws://127.0.0.1:{upstream.port}/v1/realtime"
    said = {"UPSTREAM_URL": url} | environment
    running = server("--workers", str(workers), *options, handles=0, terminal=terminal, model=None, **said)
    try:
        one = await asyncio.to_thread(running.__enter__)
        try:
            yield Fleet(one)
        finally:
            await asyncio.to_thread(running.__exit__, None, None, None)
    finally:
        await upstream.close()


async def gone(processes: list[psutil.Process]) -> None:
    """Wait until none of these runs."""
    await until(lambda: all(map(ended, processes)))


def _read(url: str) -> str:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=WITHIN) as answer:
        return str(answer.read().decode())
