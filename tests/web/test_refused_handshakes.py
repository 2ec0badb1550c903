"""What is left of a handshake that was refused."""

import logging
from collections import Counter
from collections.abc import Sequence

import aiohttp
import pytest

from tests.kit.exchange import exchange
from tests.kit.story import run
from tests.kit.strangers import Line
from web.refused_handshakes import HOUR, MOST_LINES, Reason, RefusedHandshakes

UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
SECRET = "sk-SECRET"  # what must not be in the log


@pytest.mark.parametrize(
    ("path", "headers", "reason", "says"),
    [
        ("/ws/u", [KEY, "Origin: http://Localhost:3000"], "origin", "--allow-origin http://localhost:3000"),
        (
            "/ws/u",
            [KEY, f"Origin: wss://app.example/ws?key={SECRET}"],
            "origin",
            "--allow-origin https://app.example:443",
        ),
        ("/ws/u", [KEY, f"Origin: http://{SECRET}@app.example"], "origin", "its Origin is none"),
        ("/ws/u", [KEY, f"Origin: x://{'a' * 3000}{SECRET}"], "origin", "--allow-origin x://aaa"),
        ("/ws/u", [KEY, "Host: Evil.Example:80"], "host", "--allow-host evil.example"),
        ("/ws/u", [KEY, f"Host: {SECRET}@evil.example"], "host", "its Host is no host name"),
        (f"/ws/{SECRET}*", [KEY], "user_id", "docs/wire.md"),
        (f"/ws/u?mode={SECRET}", [KEY], "mode", "docs/wire.md"),
        (f"/voice/{SECRET}", [KEY], "path", "/ws-mobile/USER"),
        ("/ws/u", [f"Sec-WebSocket-Key: {SECRET}é"], "handshake", "no valid WebSocket handshake"),
        ("/ws/u", [f"Sec-WebSocket-Key: {SECRET}"], "handshake", "no valid WebSocket handshake"),
        ("/ws/u", [f"X-Key: {SECRET}"], "handshake", "no valid WebSocket handshake"),
    ],
)
def test_each_reason_has_its_count_and_its_line(
    path: str, headers: Sequence[str], reason: str, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The line says what whoever runs the server can do, once; nothing that was not understood is in it."""
    host = next((header for header in headers if header.startswith("Host:")), "Host: localhost:8000")
    rest = [header for header in headers if header != host]
    request = "\r\n".join([f"GET {path} HTTP/1.1", host, *UPGRADE, *rest, "", ""]).encode()

    async def story() -> None:
        async with exchange() as server, aiohttp.ClientSession() as client:
            for _ in range(3):
                line = await Line.dial(server.http.removeprefix("http://"))
                line.writer.write(request)
                assert (await line.answer())[0] in (400, 403, 404)
                line.hang_up()
            async with client.get(server.metrics) as figures:
                assert f'voice_handshakes_refused_total{{reason="{reason}"}} 3.0' in await figures.text()

    with caplog.at_level("DEBUG"):
        run(story())
    lines = [record.getMessage() for record in caplog.records if record.name.startswith(("web", "aiohttp"))]
    (told,) = [line for line in lines if "refused a handshake" in line]
    assert f"({reason})" in told
    assert says in told
    assert len(told) < 300
    assert not any(SECRET.lower() in line.lower() for line in lines)


def test_a_question_that_is_refused_is_no_handshake() -> None:
    """Nor is one that nobody has an answer to: robots ask many."""

    async def story() -> None:
        async with exchange() as server, aiohttp.ClientSession() as client:
            async with client.get(f"{server.http}/wp-admin") as answer:
                assert answer.status == 404
            async with client.get(f"{server.http}/health", headers={"Origin": "http://evil.example"}) as answer:
                assert answer.status == 403
            assert server.counters.handshakes_refused == {}

    run(story())


def test_a_subprotocol_is_answered_and_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """A browser connects with a token among its subprotocols; the log has nothing of it."""
    offers = {
        ("voice.v1",): "voice.v1",
        ("realtime", f"openai-insecure-api-key.{SECRET}"): "realtime",
        (f"bearer.{SECRET}", "chat", "voice.v1"): "voice.v1",
        ("bearer", SECRET): "bearer",
        (SECRET,): None,
    }

    async def story() -> None:
        async with exchange() as server, aiohttp.ClientSession() as client:
            for number, (names, chosen) in enumerate(offers.items()):
                async with client.ws_connect(f"{server.url}/ws/u{number}", protocols=names) as call:
                    assert call.protocol == chosen
            line = await Line.dial(server.http.removeprefix("http://"))
            two = [f"Sec-WebSocket-Protocol: {name}" for name in (f"bearer.{SECRET}", "voice.v1")]
            status, headers = await line.ask("/ws/u", *UPGRADE, KEY, *two)
            assert (status, headers["sec-websocket-protocol"]) == (101, "voice.v1")
            line.hang_up()

    with caplog.at_level("DEBUG"):
        run(story())
    said = [record for record in caplog.records if record.name.startswith(("web", "aiohttp", "actors", "supervisor"))]
    assert not any(SECRET in logging.Formatter().format(record) for record in said)
    assert not any(record.name.startswith("aiohttp") for record in said)


def test_the_lines_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """So many an hour, each once; every refusal is counted."""
    now, counted = [0.0], Counter[str]()
    refused = RefusedHandshakes(counted, lambda: now[0])
    for number in range(3 * MOST_LINES):
        refused.note(Reason("origin", f"x{number}"))
        refused.note(Reason("origin", "x0"))
    assert len(caplog.records) == MOST_LINES
    assert counted == {"origin": 6 * MOST_LINES}
    now[0] = HOUR
    refused.note(Reason("origin", "x0"))
    assert len(caplog.records) == MOST_LINES + 1
