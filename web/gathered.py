"""GET /metrics of several servers: the figures of each, told apart by the label `worker`.

They are not summed. A sum falls when a worker starts again or does not answer in time, and Prometheus takes a counter
that falls for one that began anew: `rate` would count everything twice. Of its own label each series is whole, and
`sum without (worker) (rate(...))` is right at all times; so is `histogram_quantile` over it.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from prometheus_client import ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from web.asking import ask

WITHIN = 2.0  # seconds, in which a worker must have told its figures


@dataclass(frozen=True, slots=True)
class Told:
    """A process whose figures are shown. `restarts` and `pid` read what is true now."""

    name: str
    pid: Callable[[], int]
    restarts: Callable[[], int] = int
    socket: Path | None = None
    """The unix socket where it tells its figures; None for a program of others, of which the process is shown."""


class Gathered:
    """The metrics of several servers. Each request asks all of them, at once."""

    def __init__(self, processes: Iterable[Told], within: float = WITHIN) -> None:
        self._processes, self._within = list(processes), within

    def routes(self) -> list[web.RouteDef]:
        """The route of `GET /metrics`."""
        return [web.get("/metrics", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        """Every metric of everybody, as text."""
        text = generate_latest(Whole(await self.collect()))
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    async def collect(self) -> list[Metric]:
        """The families, each with the samples of all."""
        workers = [one for one in self._processes if one.socket]
        texts = dict(zip(workers, await asyncio.gather(*map(self._ask, workers)), strict=True))
        whole: dict[str, Metric] = {}
        for one in self._processes:
            _add(whole, one.name, _read(texts[one]) if one.socket else _process(one))
        up = GaugeMetricFamily("voice_worker_up", "1 if the worker told its figures in time", labels=["worker"])
        restarts = CounterMetricFamily("voice_process_restarts", "Times that it was started again", labels=["worker"])
        for one in self._processes:
            restarts.add_metric([one.name], one.restarts())
            if one.socket:
                up.add_metric([one.name], bool(texts[one]))
        return [up, restarts, *whole.values()]

    async def _ask(self, one: Told) -> str:
        """What it tells; empty if it does not answer in time, or says what is none."""
        try:
            return (await ask(one.socket, "/metrics", self._within) or b"").decode() if one.socket else ""
        except ValueError:
            return ""


class Whole(Collector):
    """Families that are there already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """All of them."""
        return self._families


def _read(text: str) -> Iterable[Metric]:
    return text_string_to_metric_families(text)


def _process(one: Told) -> Iterable[Metric]:
    """Memory, CPU time and handles of a process."""
    if not one.pid():
        return []
    return ProcessCollector(pid=one.pid, registry=None).collect()


def _add(whole: dict[str, Metric], name: str, families: Iterable[Metric]) -> None:
    """Add the samples of a process to those of the others, with its name."""
    for family in families:
        all_of_it = whole.setdefault(family.name, Metric(family.name, family.documentation, family.type, family.unit))
        for sample in family.samples:
            labels: Mapping[str, str] = {"worker": name, **sample.labels}
            all_of_it.add_sample(sample.name, dict(labels), sample.value)
