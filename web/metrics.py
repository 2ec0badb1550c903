"""GET /metrics: the counters, and what exists at this moment, in Prometheus' text format. No users, no spoken words."""

import asyncio
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TypeVar

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from actors import runtime
from actors.admission.waiting import Ledger
from actors.budgets.spending import Spending
from actors.counters import PHASE_STEPS, Counters, Waits
from actors.runtime.watchdog import STEPS, LoopLag, running
from audio import Pool
from register import Presence, Register

Family = TypeVar("Family", CounterMetricFamily, GaugeMetricFamily)


class Metrics:
    """The metrics of one server, on a registry of its own. Reading them changes nothing."""

    def __init__(
        self,
        counters: Counters,
        pool: Pool,
        waiting: Ledger | None = None,
        spending: Spending | None = None,
        register: Register | None = None,
    ) -> None:
        self.counters, self.waiting = counters, waiting or Ledger()
        self.registry = CollectorRegistry()
        self.registry.register(_Counted(counters, pool, spending))
        if register:
            self.registry.register(_OfRegister(register.presence))
        late = counters.late
        self._gauge("voice_callers", "Sessions that have not ended", lambda: counters.begun - counters.ended.total())
        self._gauge(
            "voice_upstream_barred", "1 while the upstream refuses our account", lambda: counters.account_blocked
        )
        self._gauge("voice_calls_away", "Calls whose caller is away, and may come back", lambda: counters.away)
        self._gauge("voice_tokens_estimated", "1 if the model estimates tokens", lambda: counters.tokens_estimated)
        self._gauge("voice_tasks", "Tasks of the event loop", lambda: len(asyncio.all_tasks()))
        self._gauge("voice_decoders_busy", "Decoders at work on a clip", lambda: pool.busy)
        self._gauge("voice_clips_waiting", "Clips that wait for a decoder", lambda: pool.waiting)
        self._gauge("voice_waiting_bytes", "What waits for callers, counted from 64 KB", lambda: self.waiting.bytes)
        self._gauge("voice_loop_late_worst_seconds", "The worst of the last minute or two", lambda: late.worst)
        self._gauge(
            "voice_mailbox_deepest",
            "The longest mailbox of the last minute or two",
            lambda: running.deepest_lately,
        )
        ProcessCollector(registry=self.registry)

    def _gauge(self, name: str, about: str, read: Callable[[], float]) -> None:
        Gauge(name, about, registry=self.registry).set_function(read)

    def routes(self) -> list[web.RouteDef]:
        """The route of `GET /metrics`."""
        return [web.get("/metrics", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        """Every metric, as text."""
        return web.Response(body=generate_latest(self.registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})


class _Counted(Collector):
    """What `Counters` and the runtime count, and what has labels that come and go.

    prometheus_client's own Counter and Histogram cannot read a value that is kept elsewhere (decision 40).
    """

    def __init__(self, counters: Counters, pool: Pool, spending: Spending | None) -> None:
        self._counters, self._pool, self._spending = counters, pool, spending

    def collect(self) -> Iterator[Metric]:
        """Each family with its present values."""
        now, runtime_ref = self._counters, runtime.ref
        tokens = asdict(now.used)
        transcribed = tokens.pop("transcribed_seconds")
        for name, about, total in (
            ("voice_sessions_begun", "Sessions let in", now.begun),
            ("voice_calls_resumed", "Connections over which a call went on", now.resumed),
            ("voice_sound_held", "Times that sound was held back, as too much was not acknowledged", now.sound_held),
            ("voice_upstream_lost", "Upstream connections lost or refused", now.upstream_lost),
            ("voice_answer_stalls", "Answers of which nothing came for 2 s", now.answer_stalls),
            ("voice_answers_moved", "Stalled answers that went on over another connection", now.answers_moved),
            ("voice_received_bytes", "Payload of callers' frames", now.received),
            ("voice_sent_bytes", "Payload of frames to callers", now.sent),
            ("voice_transcribed_seconds", "Speech whose transcript was counted by its length", transcribed),
            ("voice_log_lines_dropped", "Lines that nobody read in time", now.log_lines_dropped),
            ("voice_dead_letters", "Messages told to actors that had ended", runtime_ref.dead_letters),
            ("voice_decode_seconds", "Seconds of CPU that clips took in the decoders", self._pool.spent),
        ):
            yield CounterMetricFamily(name, about, total)
        for name, about, label, totals in (
            ("voice_sessions_ended", "Sessions ended, by close code", "code", now.ended),
            ("voice_calls_refused", "Calls turned away, by close code", "code", now.refused),
            ("voice_calls_not_resumed", "Connections that asked for a call in vain, by code", "code", now.not_resumed),
            (
                "voice_calls_given_up",
                "Calls whose caller was away at their end, by close code",
                "code",
                now.given_up,
            ),
            (
                "voice_fleet_refused",
                "Refused by the fleet, not by this server, by limit",
                "limit",
                now.fleet_refused,
            ),
            ("voice_address_refused", "Refused to one address, by what it was", "kind", now.address_refused),
            ("voice_handshakes_refused", "Handshakes refused by HTTP, by reason", "reason", now.handshakes_refused),
            ("voice_messages_refused", "Callers' messages refused, by error code", "code", now.messages_refused),
            ("voice_tokens", "Tokens, as the upstream counted them", "kind", tokens),
        ):
            yield _labelled(CounterMetricFamily(name, about, labels=[label]), totals)
        yield from self._of_care()
        yield from self._by_label()
        yield _histogram("voice_loop_late_seconds", "How late the event loop was", STEPS, {"": now.late})
        yield _histogram("voice_turn_phase_seconds", "What callers' turns took, by phase", PHASE_STEPS, now.phases)

    def _of_care(self) -> Iterator[Metric]:
        """What guardians find, without words and without whose."""
        now = self._counters
        for name, about, total in (
            ("voice_care_refused", "Calls with signs of danger whose limits held all the same", now.care_refused),
            ("voice_guardians_given_up", "Calls that went on without a guardian", now.guardians_given_up),
            ("voice_calls_of_minors", "Calls of callers who were known to be minors", now.minors),
        ):
            yield CounterMetricFamily(name, about, total)
        for name, about, label, totals in (
            ("voice_care", "Calls with signs of danger, by kind", "kind", now.worries),
            ("voice_care_judged", "Questions to the judge model, by what became of them", "outcome", now.judged),
            ("voice_answers_pressed", "Answers of personas that press callers, by rule", "rule", now.pressed),
        ):
            yield _labelled(CounterMetricFamily(name, about, labels=[label]), totals)

    def _moved(self) -> Iterator[Metric]:
        """Calls that go on at another server."""
        now = self._counters
        taken = CounterMetricFamily("voice_calls_taken", "Calls that came from another server, or went", labels=["way"])
        yield _labelled(taken, now.calls_moved)
        refused = CounterMetricFamily("voice_takes_refused", "Calls asked of others in vain, by code", labels=["code"])
        yield _labelled(refused, now.takes_refused)
        yield CounterMetricFamily("voice_saves_lost", "Records that the register did not confirm", now.saves_lost)
        about = "Metered after the last save of calls that moved"
        yield CounterMetricFamily("voice_unbilled_seconds", about, now.unbilled_seconds)

    def _by_label(self) -> Iterator[Metric]:
        """Budgets, actors and the model's limits."""
        yield from self._moved()
        stopped, shares = (self._spending.stopped, self._spending.shares()) if self._spending else ({}, {})
        ends = CounterMetricFamily("voice_budget_stops", "Calls ended or refused, by the limit", labels=["limit"])
        yield _labelled(ends, stopped)
        share = GaugeMetricFamily("voice_budget_spent_ratio", "Spent of a limit of the server", labels=["limit"])
        yield _labelled(share, shares)
        alive = GaugeMetricFamily("voice_actors", "Live actors in this process", labels=["kind"])
        yield _labelled(alive, runtime.ref.alive())
        left = GaugeMetricFamily("voice_rate_limit_remaining", "Left of a limit when last told", labels=["limit"])
        yield _labelled(left, self._counters.allowances)


class _OfRegister(Collector):
    """Whether the register is here, and what it was asked."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence

    def collect(self) -> Iterator[Metric]:
        """Each family with its present values."""
        now = self._presence
        yield GaugeMetricFamily("voice_register_here", "1 while the register answers", now.here)
        yield CounterMetricFamily("voice_register_away", "Times that the register went away", now.times_away)
        asked = CounterMetricFamily("voice_register_operations", "Operations asked, by name", labels=["operation"])
        yield _labelled(asked, now.asked)
        unanswered = CounterMetricFamily(
            "voice_register_unanswered", "Operations without an answer in time, by name", labels=["operation"]
        )
        yield _labelled(unanswered, now.unanswered)


def _labelled(family: Family, values: Mapping[int, float] | Mapping[str, float]) -> Family:
    for label, value in values.items():
        family.add_metric([str(label)], value)
    return family


def _histogram(name: str, about: str, steps: Sequence[float], of: Mapping[str, LoopLag | Waits]) -> Metric:
    """A histogram for each phase; without a label where there is one, of no phase."""
    family = HistogramMetricFamily(name, about, labels=[] if "" in of else ["phase"])
    marks = [*(str(step) for step in steps), "+Inf"]
    for phase, waits in of.items():
        buckets = list(zip(marks, itertools.accumulate(waits.counts), strict=True))
        family.add_metric([phase] if phase else [], buckets, waits.total)
    return family
