"""Plain HTTP on the engine's port: what clients of the API ask for beside the socket."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from openai import AsyncOpenAI
from websockets.exceptions import ConnectionClosed, InvalidStatus

from engine.client_secrets import MOST, ClientSecrets
from engine.gate import Gate
from engine.request_body import RequestBody
from realtime.server.shape import Rejected
from tests.engine.sockets import TOKEN, Engine, receive, send, with_engine
from tests.kit.story import WITHIN
from web.guard import stranger

MODEL = "gpt-realtime-2.1"


async def request(engine: Engine, method: str, path: str, body: Any = None, token: str = TOKEN) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession() as client,
        client.request(method, f"http://127.0.0.1:{engine.port}{path}", json=body, headers=headers) as response,
    ):
        assert response.content_type == "application/json"
        return response.status, await response.json()


def official(engine: Engine, key: str) -> AsyncOpenAI:
    base = f"http://127.0.0.1:{engine.port}/v1"
    return AsyncOpenAI(api_key=key, base_url=base, websocket_base_url=base.replace("http", "ws"), max_retries=0)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("body", [None, {"a": "x" * 20_000}])
def test_what_is_not_here_is_not_found(method: str, body: Any) -> None:
    """404 in JSON, whatever is asked and with whatever body; a wrong method is 405."""

    async def test(engine: Engine) -> None:
        status, answer = await request(engine, method, "/v1/audio/speech", body)
        assert (status, answer["error"]["code"]) == (404, "not_found")
        status, answer = await request(engine, method, "/v1/realtime", body)
        assert (status, answer["error"]["code"]) == (405, "method_not_allowed")

    with_engine(test)


def test_a_secret_opens_a_session_as_it_was_asked_for() -> None:
    """The official client gets one and connects with it, without the key."""

    async def test(engine: Engine) -> None:
        async with official(engine, TOKEN) as client:
            secret = await client.realtime.client_secrets.create(
                session={"type": "realtime", "model": MODEL, "instructions": "Be Tina."},
                expires_after={"anchor": "created_at", "seconds": 60},
            )
        assert secret.value.startswith("ek_")
        assert secret.session.type == "realtime"
        assert secret.session.instructions == "Be Tina."
        async with official(engine, secret.value) as client, client.realtime.connect(model=MODEL) as line:
            created = await line.recv()
            assert created.type == "session.created"
            assert created.session.instructions == "Be Tina."  # type: ignore[union-attr]
        async with engine.call(secret.value, "") as socket:
            assert (await receive(socket))["session"]["model"] == MODEL

    with_engine(test)


def test_a_secret_for_transcription_opens_such_a_session() -> None:
    """Without intent or model in the query."""

    async def test(engine: Engine) -> None:
        status, secret = await request(
            engine, "POST", "/v1/realtime/client_secrets", {"session": {"type": "transcription"}}
        )
        assert (status, secret["session"]["type"]) == (200, "transcription")
        async with engine.call(secret["value"], "") as socket:
            assert (await receive(socket))["session"]["type"] == "transcription"

    with_engine(test)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"session": {"type": "realtime", "voice": "marin"}}, "session.voice"),
        ({"session": {"type": "realtime", "audio": {"output": {"voice": "nova"}}}}, "session.audio.output.voice"),
        ({"expires_after": {"anchor": "created_at", "seconds": 5}}, "expires_after.seconds"),
        ([], ""),
    ],
)
def test_a_faulty_wish_for_a_secret_is_refused(body: Any, param: str) -> None:
    """By its path, with 400; without the key, with 401."""

    async def test(engine: Engine) -> None:
        status, answer = await request(engine, "POST", "/v1/realtime/client_secrets", body)
        assert (status, answer["error"]["param"]) == (400, param)
        assert (await request(engine, "POST", "/v1/realtime/client_secrets", {}, token="wrong"))[0] == 401

    with_engine(test)


def test_the_models_are_listed() -> None:
    """For the official client, and one by one."""

    async def test(engine: Engine) -> None:
        async with official(engine, TOKEN) as client:
            names = [model.id async for model in client.models.list()]
            assert MODEL in names
            assert (await client.models.retrieve(MODEL)).id == MODEL
        assert (await request(engine, "GET", "/v1/models/never"))[0] == 404
        assert (await request(engine, "GET", "/v1/models", token="wrong"))[0] == 401

    with_engine(test)


@pytest.mark.parametrize(
    "query", ["?intent=transcription", "?model=gpt-4o-transcribe", "?intent=transcription&model=m"]
)
def test_a_session_that_transcribes_is_asked_for_in_the_query(query: str) -> None:
    """By the intent, or by a model that only transcribes."""

    async def test(engine: Engine) -> None:
        async with engine.call(query=query) as socket:
            assert (await receive(socket))["session"]["type"] == "transcription"
            await send(socket, "session.update", session={"type": "transcription"})
            assert (await receive(socket))["type"] == "session.updated"

    with_engine(test)


def test_a_slash_at_the_end_changes_nothing() -> None:
    """Base URLs are joined in either way."""

    async def test(engine: Engine) -> None:
        async with engine.call(query=f"/?model={MODEL}") as socket:
            assert (await receive(socket))["type"] == "session.created"
        assert (await request(engine, "GET", "/v1/models/"))[0] == 200
        assert (await request(engine, "POST", "/v1/realtime/client_secrets/", {}))[0] == 200

    with_engine(test)


def test_a_secret_that_nobody_gave_opens_nothing() -> None:
    """It is as wrong as a wrong key."""

    async def test(engine: Engine) -> None:
        async with engine.call("ek_nobody") as socket:
            assert (await receive(socket))["error"]["code"] == "invalid_api_key"
            with pytest.raises(ConnectionClosed):
                await receive(socket)

    with_engine(test)


def test_secrets_end_and_are_bounded() -> None:
    """After its time a secret opens nothing; the oldest of too many is forgotten."""
    secrets = ClientSecrets()
    first = secrets.issue({"expires_after": {"anchor": "created_at", "seconds": 10}}, now=100.0)
    assert first["expires_at"] == 110
    assert secrets.find(first["value"], now=109.0)
    assert secrets.find(first["value"], now=110.0) is None

    values = [secrets.issue({}, now=100.0)["value"] for _ in range(MOST)]
    assert secrets.find(first["value"], now=100.0) is None
    assert all(secrets.find(value, now=100.0) for value in values)
    with pytest.raises(Rejected):
        secrets.issue({"session": {"type": "other"}}, now=100.0)


def test_a_body_that_comes_in_pieces() -> None:
    """Byte by byte on the socket, it is one request."""
    body = json.dumps({"session": {"type": "realtime", "instructions": "Speak of tea."}}).encode()
    head = f"POST /v1/realtime/client_secrets HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n"
    whole = f"{head}Authorization: Bearer {TOKEN}\r\n\r\n".encode() + body

    async def test(engine: Engine) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", engine.port)
        for at in range(len(whole)):
            writer.write(whole[at : at + 1])
            await writer.drain()
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b'"value":"ek_' in answer
        assert b"Speak of tea." in answer

    with_engine(test)


@pytest.mark.parametrize("size", [1, 7, 60, 1000])
def test_a_body_is_kept_whole_however_it_comes(size: int) -> None:
    """The request is passed on without it, when all of it is there."""
    keeper, body = RequestBody(), b'{"session": null}'
    whole = b"POST /v1/realtime/client_secrets HTTP/1.1\r\nContent-Length: 17\r\nHost: a\r\n\r\n" + body
    passed = [keeper.receive(whole[at : at + size]) for at in range(0, len(whole), size)]
    assert keeper.body == body
    assert passed[-1] == b"POST /v1/realtime/client_secrets HTTP/1.1\r\nHost: a\r\n\r\n"
    assert not any(passed[:-1])


@pytest.mark.parametrize(
    "request_line",
    [b"Content-Length: 99999999", b"Content-Length: 0", b"Content-Length: -1", b"Transfer-Encoding: chunked", b"A: b"],
)
def test_other_requests_are_passed_on_as_they_are(request_line: bytes) -> None:
    """A handshake, and what websockets refuses by itself; and all that comes after the head."""
    keeper = RequestBody()
    head = b"GET /v1/realtime HTTP/1.1\r\nHost: a\r\n" + request_line + b"\r\n\r\n"
    passed = b"".join(keeper.receive(head[at : at + 5]) for at in range(0, len(head), 5))
    assert passed == head
    assert keeper.receive(b"later") == b"later"
    assert keeper.body == b""


def test_a_head_without_an_end_is_not_kept() -> None:
    """It is passed on as soon as it is larger than any."""
    keeper = RequestBody()
    assert keeper.receive(b"A" * 2**17) == b"A" * 2**17


async def status(engine: Engine, path: str, headers: dict[str, str], upgrade: bool = False) -> int:
    sent = {"Authorization": f"Bearer {TOKEN}", **headers}
    if upgrade:
        key = {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        sent = {**sent, "Connection": "Upgrade", "Upgrade": "websocket", **key}
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"http://127.0.0.1:{engine.port}{path}", headers=sent) as response,
    ):
        assert "Server" not in response.headers
        assert upgrade or response.headers["X-Content-Type-Options"] == "nosniff"
        return response.status


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ({}, 200),
        ({"Host": "localhost:8100"}, 200),
        ({"Host": "[::1]:8100", "Origin": "http://[::1]:8100"}, 200),
        ({"Host": "rebound.example"}, 403),
        ({"Host": "localhost", "Origin": "http://evil.example"}, 403),
        ({"Host": "localhost", "Origin": "null"}, 403),
    ],
)
def test_a_page_of_another_site_reads_and_opens_nothing(headers: dict[str, str], answer: int) -> None:
    """Also not by a name of its own that leads to us (DNS rebinding), whatever it shows."""

    async def test(engine: Engine) -> None:
        assert await status(engine, "/sessions", headers) == answer
        upgraded = 101 if answer == 200 else answer
        assert await status(engine, f"/v1/realtime?model={MODEL}", headers, upgrade=True) == upgraded

    with_engine(test, gate=Gate(stranger))


def test_more_sessions_than_it_may_have_are_refused() -> None:
    """With 429 and a time to wait; who leaves makes room for one."""

    async def test(engine: Engine) -> None:
        async with engine.call(), engine.call():
            with pytest.raises(InvalidStatus) as refused:
                async with engine.call():
                    pass
            assert refused.value.response.status_code == 429
            assert int(refused.value.response.headers["Retry-After"]) > 0
            assert await status(engine, "/sessions", {}) == 200
        async with asyncio.timeout(WITHIN), engine.call() as again:
            assert (await receive(again))["type"] == "session.created"

    with_engine(test, gate=Gate(sessions=2))
