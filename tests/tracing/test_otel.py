"""Traces of real calls, taken by a collector that speaks OTLP over HTTP; and collectors that are away or hang."""

import asyncio
import threading
import time

import pytest

pytest.importorskip("opentelemetry.sdk", reason="no extra `otel`: make setup")

from tests.kit.collector import Collector, collector, facts
from tests.kit.exchange import CLIPS, exchange
from tests.kit.four import MOHIT, TINA
from tests.kit.story import run, until
from tracing import otel
from tracing.opening import opened
from tracing.otel import OtelTracer
from tracing.port import Span


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits is sent at once."""
    monkeypatch.setattr(otel, "EVERY_SECONDS", 0.02)


def test_a_call_is_one_trace() -> None:
    """Its choices, connections, greeting and turns are within it, and the phases within the turns."""

    async def story() -> Collector:
        async with collector() as one, exchange(tracer=(tracer := OtelTracer(one.address))) as line:
            async with line.phone("asha") as phone:
                await phone.choose(TINA)
                await phone.answer()
                await phone.ask((CLIPS / "hi_love_me.m4a").read_bytes())
                await phone.choose(MOHIT)
                await phone.answer()
                await phone.say(type="config", astrologer_id="nobody")
                await phone.hear("error")
                await phone.say(type="end")
                await phone.closed()
            await one.has("call")
            await asyncio.to_thread(tracer.close)
            return one

    one = run(story())
    (call,) = one.named("call")
    assert {span.trace_id for span in one.spans} == {call.trace_id}
    assert not call.parent_span_id
    told = facts(call)
    assert told["voice.code"] == 1000
    assert "asha" not in str(one.requests)
    assert len(str(told["voice.user"])) == 16
    assert [facts(choice)["voice.outcome"] for choice in one.named("choose")] == [
        "on the line",
        "on the line",
        "declined",
    ]
    assert [facts(choice).get("voice.persona") for choice in one.named("choose")] == [TINA, MOHIT, None]
    assert [facts(made)["voice.outcome"] for made in one.named("connect")] == ["ready", "ready"]
    assert len(one.named("greet")) == 2
    (turn,) = one.named("turn")
    assert [phase.name for phase in one.parts(turn)] == ["created", "first_audio"]  # of a clip
    assert {span.name for span in one.parts(call)} == {"choose", "connect", "greet", "turn"}
    for span in one.spans:
        assert span.start_time_unix_nano <= span.end_time_unix_nano
        assert call.start_time_unix_nano <= span.start_time_unix_nano
        assert span.end_time_unix_nano <= call.end_time_unix_nano
        assert abs(span.end_time_unix_nano / 1e9 - time.time()) < 300
    first, second = one.parts(turn)
    assert (turn.start_time_unix_nano, first.end_time_unix_nano) == (
        first.start_time_unix_nano,
        second.start_time_unix_nano,
    )


def test_no_word_and_no_prompt_is_in_it() -> None:
    """Neither what is said nor what a persona is told; nor who calls."""

    async def story() -> Collector:
        async with collector() as one, exchange(tracer=(tracer := OtelTracer(one.address))) as line:
            async with line.phone("asha") as phone:
                await phone.choose(TINA)
                await phone.answer()
                await phone.say(type="text", text="Will I marry a xylophonist?")
                await phone.answer()
            await one.has("call")
            await asyncio.to_thread(tracer.close)
            return one

    sent = str(run(story()).requests)
    assert "xylophonist" not in sent
    assert "नमस्ते" not in sent
    assert "asha" not in sent


def test_what_identifies_us_to_the_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """The standard variables: headers, the name of the service, what it is."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=stars")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")

    async def story() -> None:
        async with collector() as one:
            with opened(f"{one.address}/") as tracer:
                tracer.call(0.0).end(Span("call", 0.0, 1.0))
                await one.has("call")
            assert one.headers[0]["x-tenant"] == "stars"
            (resource,) = [resource.resource for request in one.requests for resource in request.resource_spans]
            told = {fact.key: fact.value.string_value for fact in resource.attributes}
            assert (told["service.name"], told["deployment.environment"]) == ("persona-voice-server", "test")

    run(story())


@pytest.mark.thorough
def test_a_collector_that_hangs_disturbs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls go on, what waits is bounded, and the end does not wait for it."""
    monkeypatch.setattr(otel, "MOST_WAITING", 5)

    async def story() -> None:
        async with collector() as one:
            one.hangs = True
            tracer = OtelTracer(one.address)
            async with exchange(tracer=tracer) as line:
                for user in range(4):
                    async with line.phone(f"user-{user}") as phone:
                        await phone.choose(TINA)
                        await phone.answer()
                        await phone.say(type="end")
                        assert (await phone.closed()).code == 1000
            await until(lambda: one.asked)
            assert tracer.dropped > 0
            assert len(tracer._waiting) <= 5
            began = time.monotonic()
            await asyncio.to_thread(tracer.close)
            assert (
                time.monotonic() - began < otel.CLOSE_SECONDS + 10
            )  # the machine may be busy; a request takes minutes
            one.free.set()

    run(story())


@pytest.mark.parametrize("away", ["refuses", "nobody listens"])
def test_a_collector_that_is_away_is_named_once(
    away: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log has one line, however many batches are lost; when it is back, it gets what comes then."""
    monkeypatch.setattr(otel, "ANSWER_SECONDS", 0.5)

    async def story() -> None:
        async with collector() as one:
            one.status = 400
            tracer = OtelTracer(one.address if away == "refuses" else "http://127.0.0.1:9")
            for count in range(1, 4):
                tracer.call(0.0).end(Span("call", 0.0, 1.0))
                await until(lambda: tracer.dropped == count)  # noqa: B023
            one.status = 200
            tracer.call(0.0).end(Span("call", 0.0, 1.0))
            if away == "refuses":
                await one.has("call")
            await asyncio.to_thread(tracer.close)

    run(story())
    lines = [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
    assert [record.message for record in lines] == ["the collector does not take traces: 1 spans were dropped so far"]


def test_what_waits_at_the_end_is_sent() -> None:
    """The last calls of a server that drains are in the traces; no thread is left."""

    async def story() -> None:
        async with collector() as one:
            tracer = OtelTracer(one.address)
            for number in range(100):
                tracer.call(0.0).end(Span("call", 0.0, 1.0, {"voice.number": number}))
            await asyncio.to_thread(tracer.close)
            assert len(one.spans) == 100

    run(story())
    assert "traces" not in {thread.name for thread in threading.enumerate()}
