"""A collector of traces: it takes OTLP over HTTP, as a real one does, and keeps what it was sent."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent

from tests.kit.story import until


@dataclass
class Collector:
    """`requests` are what it was sent, while it does not `hang`; then each is held until `free`."""

    address: str = ""
    hangs: bool = False
    status: int = 200
    asked: int = 0
    requests: list[ExportTraceServiceRequest] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    free: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        """One batch."""
        self.asked += 1
        self.headers.append(dict(request.headers))
        body = await request.read()
        if self.hangs:
            await self.free.wait()
        elif self.status == 200:
            self.requests.append(ExportTraceServiceRequest.FromString(body))
        return web.Response(status=self.status)

    @property
    def spans(self) -> list[Sent]:
        """All spans that came."""
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def named(self, name: str) -> list[Sent]:
        """The spans of this name, the earliest first."""
        return sorted((span for span in self.spans if span.name == name), key=lambda span: span.start_time_unix_nano)

    def parts(self, of: Sent) -> list[Sent]:
        """The spans within this one, the earliest first."""
        return sorted(
            (span for span in self.spans if span.parent_span_id == of.span_id),
            key=lambda span: span.start_time_unix_nano,
        )

    async def has(self, name: str, count: int = 1) -> list[Sent]:
        """Wait for so many spans of this name."""
        await until(lambda: len(self.named(name)) >= count, lambda: f"came: {sorted(one.name for one in self.spans)}")
        return self.named(name)


def facts(span: Sent) -> dict[str, object]:
    """The attributes of a span."""

    def told() -> Iterator[tuple[str, object]]:
        for fact in span.attributes:
            yield fact.key, getattr(fact.value, fact.value.WhichOneof("value") or "string_value")

    return dict(told())


@asynccontextmanager
async def collector() -> AsyncIterator[Collector]:
    """One that listens."""
    one = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", one.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    one.address = f"http://{host}:{port}"
    try:
        yield one
    finally:
        one.free.set()
        await runner.cleanup()
