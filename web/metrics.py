"""GET /metrics: what the figures say, and what there is at this moment, as Prometheus reads it. No names, no words."""

import asyncio
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import fields

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from actors import runtime
from actors.admission.waiting import Ledger
from actors.counters import Counters
from actors.runtime.watchdog import STEPS, running
from audio import Pool


class Metrics(Collector):
    """One server's; the registry is its own. What is the worst since the last reading has one reader in mind."""

    def __init__(self, counters: Counters, pool: Pool, waiting: Ledger | None = None) -> None:
        self.counters, self._pool, self.waiting = counters, pool, waiting or Ledger()
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def routes(self) -> list[web.RouteDef]:
        """What to serve."""
        return [web.get("/metrics", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        """Everything, as text."""
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    def collect(self) -> Iterator[Metric]:
        """All the families, read now."""
        yield from self._calls()
        yield from self._upstream()
        yield from self._process()
        yield from self._loop()

    def _calls(self) -> Iterator[Metric]:
        counters = self.counters
        yield _gauge("voice_callers", "Sessions that have not ended", counters.begun - counters.ended.total())
        yield _count("voice_sessions_begun", "Sessions let in", counters.begun)
        yield _by_code("voice_sessions_ended", "Sessions ended, by close code", counters.ended)
        yield _by_code("voice_calls_refused", "Calls turned away, by close code", counters.refused)
        yield _by_kind("voice_address_refused", "Refused to one address, by what it was", counters.address_refused)
        yield _by_code("voice_messages_refused", "Callers' messages refused, by error code", counters.messages_refused)
        yield _count("voice_upstream_lost", "Upstream connections lost or refused", counters.upstream_lost)
        yield _gauge("voice_upstream_barred", "1 while the upstream refuses our account", counters.account_blocked)
        yield _count("voice_received_bytes", "Payload of callers' frames", counters.received)
        yield _count("voice_sent_bytes", "Payload of frames to callers", counters.sent)

    def _upstream(self) -> Iterator[Metric]:
        tokens = CounterMetricFamily("voice_tokens", "Tokens, as the upstream counted them", labels=["kind"])
        for kind in fields(self.counters.used):
            if kind.name != "transcribed_seconds":
                tokens.add_metric([kind.name], getattr(self.counters.used, kind.name))
        yield tokens
        seconds = self.counters.used.transcribed_seconds
        yield _count("voice_transcribed_seconds", "Speech whose transcript was counted by its length", seconds)
        left = GaugeMetricFamily("voice_rate_limit_remaining", "Left of a limit when last told", labels=["limit"])
        for what, remaining in self.counters.allowances.items():
            left.add_metric([what], remaining)
        yield left

    def _process(self) -> Iterator[Metric]:
        actors = GaugeMetricFamily("voice_actors", "Live actors in this process", labels=["kind"])
        for kind, count in runtime.ref.alive().items():
            actors.add_metric([kind], count)
        yield actors
        yield _gauge("voice_tasks", "Tasks of the event loop", len(asyncio.all_tasks()))
        yield _count("voice_log_lines_dropped", "Lines that nobody read in time", self.counters.log_lines_dropped)
        yield _count("voice_dead_letters", "Messages told to actors that had ended", runtime.ref.dead_letters)
        yield _gauge("voice_decoders_busy", "Decoders at work on a clip", self._pool.busy)
        yield _count("voice_decode_seconds", "Seconds of CPU that clips took in the decoders", self._pool.spent)
        yield _gauge("voice_clips_waiting", "Clips that wait for a decoder", self._pool.waiting)
        yield _gauge("voice_waiting_bytes", "What waits for callers, counted from 64 KB", self.waiting.bytes)

    def _loop(self) -> Iterator[Metric]:
        late = self.counters.late
        marks = [*(str(step) for step in STEPS), "+Inf"]
        buckets = list(zip(marks, itertools.accumulate(late.counts), strict=True))
        yield HistogramMetricFamily("voice_loop_late_seconds", "How late the event loop was", buckets, late.total)
        yield _gauge("voice_loop_late_worst_seconds", "The worst since the last reading", late.take_worst())
        yield _gauge("voice_mailbox_deepest", "The longest mailbox since the last reading", running.take_deepest())


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, value)


def _count(name: str, about: str, value: float) -> Metric:
    return CounterMetricFamily(name, about, value)


def _by_kind(name: str, about: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, about, labels=["kind"])
    for kind, count in counts.items():
        family.add_metric([kind], count)
    return family


def _by_code(name: str, about: str, counts: Mapping[int, int] | Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, about, labels=["code"])
    for code, count in counts.items():
        family.add_metric([str(code)], count)
    return family
