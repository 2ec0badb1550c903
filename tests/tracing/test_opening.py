"""Whether calls are traced: the setting, the extra, and a server that is told to."""

import asyncio
import subprocess
import sys

import pytest

pytest.importorskip("opentelemetry.sdk", reason="no extra `otel`: make setup")

from cli.failure import CannotServe
from cli.traces import Traces, tracing
from phone import Phone
from tests.kit.collector import collector, facts
from tests.kit.engine_process import engine
from tests.kit.four import TINA
from tests.kit.process import START_SECONDS, server
from tests.kit.story import run
from tracing import opening


def test_without_a_collector_nothing_is_imported() -> None:
    """Not one module of the library."""
    program = (
        "import sys, cli.server; print(sorted(m for m in sys.modules if m.startswith(('opentelemetry', 'google'))))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=START_SECONDS
    )
    assert told.stdout.strip() == "[]"
    with tracing(Traces()) as tracer:
        assert tracer is None


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it; the server does not start."""
    monkeypatch.setattr(opening, "PACKAGES", ("no_such_package.sdk",))
    with (
        pytest.raises(CannotServe, match=r'pip install "persona-voice-server\[otel\]"') as refused,
        tracing(Traces(otel_endpoint="http://127.0.0.1:4318")),
    ):
        pass
    assert refused.value.code == 2


@pytest.mark.parametrize("address", ["127.0.0.1:4318", "grpc://127.0.0.1:4317", "http://", "http://[::1", "http://h:x"])
def test_an_address_that_is_none(address: str) -> None:
    """It is refused before anything is started, and not repeated: it may hold a password."""
    command = [sys.executable, "-m", "supervisor", "serve", "--otel-endpoint", address]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=START_SECONDS)
    assert told.returncode == 2
    assert "OTLP over HTTP" in " ".join(told.stderr.replace("│", " ").split())


@pytest.mark.thorough
def test_a_server_traces_its_calls() -> None:
    """Told by the standard variable alone, with the local engine; what was said last is sent before it ends."""

    async def call(url: str) -> None:
        async with Phone(url, "asha", {}) as phone:
            await phone.choose(TINA)
            await phone.answer()
            await phone.say(type="end")
            await phone.closed()

    async def story() -> None:
        async with collector() as one:
            with server(OTEL_EXPORTER_OTLP_ENDPOINT=one.address, model=engine()) as running:
                await call(running.url)
                began = await asyncio.to_thread(running.lines, "began session", 1)
                assert await asyncio.to_thread(running.stop) == 0
            (ended,) = await one.has("call")
            assert str(facts(ended)["voice.session"]) in began[0]
            assert {"choose", "connect", "greet"} <= {span.name for span in one.spans}

    run(story())
