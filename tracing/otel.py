"""Spans of calls to a collector of OpenTelemetry, by OTLP over HTTP, from a thread of their own.

The loop puts what is told into a bounded queue, and does no more: whoever is away or slow keeps this thread alone. What
goes where and as whom the standard variables say (OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_CERTIFICATE,
OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES). Every call is traced: whoever wants fewer has the collector choose.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from secrets import randbits

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from tracing.port import CallSpans, Span

log = logging.getLogger(__name__)
logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)  # it writes a line for each batch; we write one

SERVICE = "persona-voice-server"
MOST_WAITING = 2000  # spans with their parts; of more the newest are dropped
BATCH = 8  # spans with their parts, in one request: about 1.5 ms of work, in which the loop may have to wait for it
EVERY_SECONDS = 1.0
ANSWER_SECONDS = 3.0  # for the collector to take a batch, unless OTEL_EXPORTER_OTLP_TIMEOUT says otherwise
CLOSE_SECONDS = 1.0  # for what waits when the server ends
LOG_SECONDS = 600.0  # between two lines about a collector that is away
TIMEOUTS = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
SCOPE = InstrumentationScope(SERVICE)


@dataclass(frozen=True, slots=True)
class _Told:
    """A span that waits, and where it belongs: `trace` and `root` are ids, `origin` is the clock's zero in ns."""

    trace: int
    root: int
    origin: int
    span: Span
    is_root: bool


class OtelTracer:
    """A thread sends what it is told in small batches, once a second. `dropped` spans were not sent."""

    def __init__(self, address: str) -> None:
        """`address` is the base of the collector's, as OTEL_EXPORTER_OTLP_ENDPOINT has it."""
        timeout = None if any(os.environ.get(name) for name in TIMEOUTS) else ANSWER_SECONDS
        endpoint = f"{address.rstrip('/')}/v1/traces"
        self._exporter = OTLPSpanExporter(endpoint, timeout=timeout)
        named = "service.name" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "") or "OTEL_SERVICE_NAME" in os.environ
        self._resource = Resource.create({} if named else {SERVICE_NAME: SERVICE})
        self._waiting: deque[_Told] = deque()
        self._stop = threading.Event()
        self._logged = 0.0
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    def call(self, now: float) -> CallSpans:
        """A call begins; `now` is the time on its clock."""
        return _Call(self, time.time_ns() - int(now * 1e9))

    def put(self, told: _Told) -> None:
        """Have it sent, if there is room."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(told)
        else:
            self.dropped += 1

    def close(self) -> None:
        """Send what waits, for CLOSE_SECONDS at most; the rest is dropped."""
        self._stop.set()
        self._thread.join(CLOSE_SECONDS)
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _run(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            self._send()
        self._send()

    def _send(self) -> None:
        """Send what waits, until there is nothing more or a batch is not taken: that is dropped."""
        while batch := self._take():
            if self._export(batch):
                continue
            self.dropped += len(batch)
            if time.monotonic() - self._logged > LOG_SECONDS or not self._logged:
                self._logged = time.monotonic()
                log.warning("the collector does not take traces: %d spans were dropped so far", self.dropped)
            return

    def _export(self, batch: list[_Told]) -> bool:
        spans = [made for told in batch for made in self._made(told)]
        try:
            return self._exporter.export(spans) is SpanExportResult.SUCCESS
        except Exception:  # whatever the library does, the next batch is sent
            log.exception("a batch of traces could not be sent")
            return False

    def _take(self) -> list[_Told]:
        return [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]

    def _made(self, told: _Told) -> Iterator[ReadableSpan]:
        root = _context(told.trace, told.root)
        if told.is_root:
            yield self._one(told, told.span, root, None)
        else:
            own = _context(told.trace, randbits(64) or 1)
            yield self._one(told, told.span, own, root)
            for part in told.span.parts:
                yield self._one(told, part, _context(told.trace, randbits(64) or 1), own)

    def _one(self, told: _Told, span: Span, context: SpanContext, parent: SpanContext | None) -> ReadableSpan:
        return ReadableSpan(
            span.name,
            context,
            parent,
            self._resource,
            dict(span.facts),
            kind=SpanKind.SERVER if parent is None else SpanKind.INTERNAL,
            status=Status(StatusCode.ERROR if span.failed else StatusCode.UNSET),
            start_time=told.origin + int(span.began * 1e9),
            end_time=told.origin + int(span.ended * 1e9),
            instrumentation_scope=SCOPE,
        )


class _Call:
    """The spans of one call: one trace, whose root is sent last."""

    def __init__(self, tracer: OtelTracer, origin: int) -> None:
        self._tracer, self._origin = tracer, origin
        self._trace, self._root = randbits(128) or 1, randbits(64) or 1

    def add(self, span: Span) -> None:
        self._tracer.put(_Told(self._trace, self._root, self._origin, span, is_root=False))

    def end(self, call: Span) -> None:
        self._tracer.put(_Told(self._trace, self._root, self._origin, call, is_root=True))


def _context(trace: int, span: int) -> SpanContext:
    return SpanContext(trace, span, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
