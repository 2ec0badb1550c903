"""The live view's socket: what it tells of calls, what an operator can do, and who may not."""

import asyncio
import socket as sockets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest

from phone.lasting import LastingPhone
from tests.kit import secrets
from tests.kit.exchange import Exchange, exchange
from tests.kit.four import MOHIT, TINA
from tests.kit.story import run, until
from tests.test_resuming import cut, talked
from web.live import socket as live
from web.live.access import SUBPROTOCOL

TOKEN = secrets.key("of the operator, é")


def offer(token: str) -> tuple[str, ...]:
    """What a browser offers who has the token."""
    return SUBPROTOCOL, f"bearer.{urlsafe_b64encode(token.encode()).decode().rstrip('=')}"


class Operator:
    """Somebody who looks: `calls` are the rows as they were told, by session."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.rows: dict[str, dict[str, Any]] = {}
        self.head: dict[str, Any] = {}
        self.said: list[dict[str, Any]] = []

    async def hear(self) -> dict[str, Any]:
        """The next message."""
        said: dict[str, Any] = await asyncio.wait_for(self.socket.receive_json(), 60)
        if said["type"] == "now":
            self.head = said
            self.rows |= {row["session"]: row for row in said["rows"]}
            self.rows = {id_: self.rows[id_] for id_ in said["order"]}
        else:
            self.said.append(said)
        return said

    async def sees(self, **facts: Any) -> dict[str, Any]:
        """Wait until the only call, or one of them, is so."""
        while True:
            for row in self.rows.values():
                if all(row.get(name) == value for name, value in facts.items()):
                    return row
            await self.hear()

    async def is_told(self, kind: str) -> dict[str, Any]:
        """Wait for a message of this type."""
        while (said := await self.hear())["type"] != kind:
            pass
        return said

    async def close_code(self) -> int | None:
        """Wait until the server closes."""
        while not self.socket.closed:
            await asyncio.wait_for(self.socket.receive(), 60)
        return self.socket.close_code


def shore(line: Exchange) -> str:
    """Where the admin shore is."""
    return line.metrics.removesuffix("/metrics")


@asynccontextmanager
async def operator(line: Exchange, token: str = "", **headers: str) -> AsyncIterator[Operator]:
    """One who looks, as a browser does."""
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(f"{shore(line)}/live/socket", protocols=offer(token), headers=headers) as socket,
    ):
        yield Operator(socket)


def test_a_call_as_it_is_now() -> None:
    """Who, with whom, how it stands, over which connection, what was heard and spoken; and when it is over, no more."""

    async def story() -> None:
        async with exchange() as line, operator(line) as one:
            await one.hear()
            assert (one.head["calls"], one.head["order"], one.head["draining"]) == (0, [], False)
            async with line.phone("asha") as phone:
                row = await one.sees(state="choosing", leg=0, persona="")
                assert (row["heard_ms"], row["spoken_ms"], row["phases"]) == (0, 0, {})
                await phone.choose(TINA)
                await phone.answer()
                row = await one.sees(persona=TINA, leg=1, mode="clip")
                assert row["session"].endswith("-1")
                assert len(row["user"]) == 16
                assert row["user"] != "asha"
                await phone.say(type="text", text="Will I marry?")
                await phone.answer()
                while not (row := await one.sees(persona=TINA))["phases"]:
                    await one.hear()
                assert row["phases"].keys() == {"created", "first_audio"}
                assert row["spoken_ms"] > 0
                assert 0 <= row["mailbox"] < 100
                await phone.choose(MOHIT)
                await one.sees(persona=MOHIT, leg=2)
            while one.rows:
                await one.hear()
            assert one.head["calls"] == 0

    run(story())


@pytest.mark.thorough
def test_what_comes_of_a_microphone_is_counted() -> None:
    """In ms, beside what was sent."""

    async def story() -> None:
        async with exchange() as line, operator(line) as one, line.phone("asha") as phone:
            await phone.say(type="config", astrologer_id=TINA, mode="stream")
            await phone.hear("config_ack")
            for _ in range(600):
                await phone.socket.send(bytes(960))
            row = await one.sees(persona=TINA, mode="stream", heard_ms=12_000)
            while not row["spoken_ms"]:
                await one.hear()
                row = await one.sees(persona=TINA)

    run(story())


@pytest.mark.thorough
def test_a_caller_who_is_away_is_seen() -> None:
    """Until they are given up."""

    async def story() -> None:
        async with exchange() as line, operator(line) as one, LastingPhone(line.url, "asha") as phone:
            await talked(phone)
            cut(phone)
            await one.sees(state="away", persona=TINA)
            while not one.head["away"]:
                await one.hear()
            await one.socket.send_json({"type": "end", "session": next(iter(one.rows))})
            while one.rows:
                await one.hear()

    run(story())


@pytest.mark.thorough
def test_the_operator_ends_a_call() -> None:
    """The caller is told why, with a code after which no client calls again by itself; a call that is over is over."""

    async def story() -> None:
        async with exchange() as line, operator(line) as one, line.phone("asha") as phone, line.phone("two") as two:
            await phone.choose(TINA)
            await two.choose(MOHIT)
            await two.answer()
            id_ = (await one.sees(persona=TINA))["session"]
            await one.socket.send_json({"type": "end", "session": id_})
            assert await one.is_told("ending") == {"type": "ending", "session": id_}
            notice = await phone.hear("notice")
            assert "operator" in notice["message"]
            closed = await phone.closed()
            assert (closed.code, closed.reason) == (1000, "the operator of this server has ended this call")
            while id_ in one.rows:
                await one.hear()
            await one.socket.send_json({"type": "end", "session": id_})
            assert (await one.is_told("error"))["message"] == live.GONE
            assert len(one.rows) == 1  # nobody else's call ends

    run(story())


def test_the_operator_drains_the_server() -> None:
    """As SIGTERM does; to ask twice hurries nothing."""

    async def story() -> None:
        async with exchange() as line, operator(line) as one:
            line.shutdown._drain_seconds = 7.0
            for _ in range(2):
                await one.socket.send_json({"type": "drain"})
                await one.is_told("draining")
            assert line.shutdown.requested.is_set()
            assert not line.shutdown.at_once.is_set()
            assert line.shutdown.within == 7.0

    run(story())


def test_a_page_of_many_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many are shown, the newest first; a user, or a session, is found among all."""
    monkeypatch.setattr("web.live.rows.ROWS", 2)

    async def story() -> None:
        async with exchange() as line, operator(line) as one:
            phones = [line.phone(f"user-{number}") for number in range(5)]
            for phone in phones:
                await phone.__aenter__()
            while one.head.get("calls") != 5:
                await one.hear()
            assert [id_.rpartition("-")[2] for id_ in one.head["order"]] == ["5", "4"]
            await one.socket.send_json({"type": "look", "first": 4, "find": ""})
            while one.head["first"] != 4:
                await one.hear()
            assert [id_.rpartition("-")[2] for id_ in one.head["order"]] == ["1"]
            await one.socket.send_json({"type": "look", "first": 0, "find": "user-2"})
            while one.head["found"] != 1:
                await one.hear()
            (row,) = one.rows.values()
            assert row["session"].endswith("-3")
            await one.socket.send_json({"type": "look", "first": 0, "find": row["user"]})
            await one.socket.send_json({"type": "look", "first": 0, "find": "nobody"})
            while one.head["found"] != 0:
                await one.hear()
            for phone in phones:
                await phone.__aexit__(None, None, None)

    run(story())


@pytest.mark.parametrize(
    ("given", "headers", "status"),
    [
        (None, {}, 401),
        ("wrong", {}, 401),
        ("", {}, 401),
        (TOKEN[:-1], {}, 401),
        (TOKEN, {"Origin": "https://evil.example"}, 403),
        (TOKEN, {"Origin": "null"}, 403),
        (TOKEN, {"Host": "evil.example"}, 403),
        (TOKEN, {}, 101),
        (None, {"Authorization": "Bearer wrong"}, 401),
    ],
)
def test_who_may_not_look(given: str | None, headers: dict[str, str], status: int) -> None:
    """Without the token nobody, and with it no page of another site; the token is never in the address."""

    async def story() -> None:
        async with exchange(admin_token=TOKEN) as line, aiohttp.ClientSession() as client:
            protocols = (SUBPROTOCOL,) if given is None else offer(given)
            url = f"{shore(line)}/live/socket"
            if status == 101:
                async with client.ws_connect(url, protocols=protocols, headers=headers) as socket:
                    assert socket.protocol == SUBPROTOCOL
            else:
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await client.ws_connect(url, protocols=protocols, headers=headers)
                assert refused.value.status == status
            async with client.get(f"{shore(line)}/live/socket?token={TOKEN}") as answer:
                assert answer.status == 401

    run(story())


def test_where_no_token_is_set_a_page_of_another_site_may_not() -> None:
    """By its origin, or by a name that leads here."""

    async def story() -> None:
        async with exchange() as line, aiohttp.ClientSession() as client:
            for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await client.ws_connect(f"{shore(line)}/live/socket", headers=headers)
                assert refused.value.status == 403

    run(story())


def test_the_page_is_open_and_shows_nothing() -> None:
    """So that a browser can ask for the token; everything else is not."""

    async def story() -> None:
        async with exchange(admin_token=TOKEN) as line, aiohttp.ClientSession() as client:
            for path, status in (
                ("/live", 200), ("/live/", 200), ("/live/live.js", 200), ("/live/style.css", 200), ("/metrics", 401),
                ("/live/nowhere", 401), ("/live/socket", 401),
            ):  # fmt: skip
                async with client.get(f"{shore(line)}{path}") as answer:
                    assert answer.status == status, path
                    if status == 200:
                        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            for headers, good in (
                ({}, False),
                ({"Authorization": "Bearer wrong"}, False),
                ({"Authorization": f"Bearer {TOKEN}"}, True),
                ({"Authorization": f"Live {offer(TOKEN)[1].partition('.')[2]}"}, True),
                ({"Authorization": f"Live {offer('wrong')[1].partition('.')[2]}"}, False),
            ):
                async with client.get(f"{shore(line)}/live/access", headers=headers) as answer:
                    assert await answer.json() == {"good": good, "full": False}
            async with client.get(f"{line.http}/live") as answer:
                assert answer.status == 404  # callers have no such thing

    run(story())


@pytest.mark.parametrize(
    "message",
    [
        "", "nothing", "[]", "7", '"look"', "{}", "[" * 900, '{"type": "kill"}', '{"type": "end"}',
        '{"type": "end", "session": 7}', '{"type": "look", "first": -1, "find": ""}', '{"type": "look", "first": 0}',
        '{"type": "look", "first": 0, "find": "' + 500 * "x" + '"}', '{"type": "look", "first": 1e9, "find": ""}',
    ],
)  # fmt: skip
def test_an_unknown_message_is_answered(message: str) -> None:
    """The view goes on."""

    async def story() -> None:
        async with exchange() as line, operator(line) as one:
            await one.socket.send_str(message)
            assert (await one.is_told("error"))["message"] in (live.UNKNOWN, live.GONE)
            await one.socket.send_json({"type": "look", "first": 3, "find": ""})
            while one.head["first"] != 3:
                await one.hear()

    run(story())


@pytest.mark.parametrize(
    ("message", "times", "code"), [(b"binary", 1, 1008), ("{}", 100, 1008), ("x" * 2000, 1, 1009)], ids=str.__name__
)
def test_who_sends_too_much_is_closed(message: str | bytes, times: int, code: int) -> None:
    """Too often, too large, or no text."""

    async def story() -> None:
        async with exchange() as line, operator(line) as one:
            for _ in range(times):
                if one.socket.closed:
                    break
                await (one.socket.send_bytes(message) if isinstance(message, bytes) else one.socket.send_str(message))
            assert await one.close_code() == code

    run(story())


def test_only_so_many_look() -> None:
    """One more gets 503, and may look when one has gone."""

    async def story() -> None:
        async with exchange() as line, aiohttp.ClientSession() as client:
            url = f"{shore(line)}/live/socket"
            all_of_them = [await client.ws_connect(url) for _ in range(live.MOST_LOOKING)]
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.ws_connect(url)
            assert refused.value.status == 503
            await all_of_them[0].close()

            async def again() -> None:
                while True:
                    try:
                        all_of_them.append(await client.ws_connect(url))
                    except aiohttp.WSServerHandshakeError:
                        await asyncio.sleep(0.05)
                    else:
                        return

            await asyncio.wait_for(again(), 60)
            for one in all_of_them:
                await one.close()

    run(story())


def test_who_does_not_read_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for them is bounded by the buffers of their socket; nobody else notices."""
    monkeypatch.setattr(live, "WRITE_SECONDS", 0.2)
    monkeypatch.setattr(live, "PING_SECONDS", 3600.0)  # or a ping that is not answered would end it
    monkeypatch.setattr(live, "EVERY_SECONDS", 0.001)
    news = orjson.dumps({"type": "now", "rows": ["x" * 50_000]})
    monkeypatch.setattr("web.live.view.View.news", lambda view, now: news)

    async def story() -> None:
        async with exchange() as line:
            host, _, port = shore(line).removeprefix("http://").partition(":")
            with sockets.socket() as deaf:
                deaf.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
                deaf.setblocking(False)
                loop = asyncio.get_running_loop()
                await loop.sock_connect(deaf, (host, int(port)))
                key = b64encode(bytes(16)).decode()
                ask = (
                    f"GET /live/socket HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
                )
                await loop.sock_sendall(deaf, ask.encode())
                tasks = [task for task in asyncio.all_tasks() if task.get_name() == "live view"]
                await until(lambda: any(task.get_name() == "live view" for task in asyncio.all_tasks()))
                await until(lambda: not any(task.get_name() == "live view" for task in asyncio.all_tasks()))
                assert tasks == []

    run(story())


def test_the_end_of_the_server_is_told() -> None:
    """With 1001, and no task is left."""

    async def story() -> None:
        async with aiohttp.ClientSession() as client:
            async with exchange() as line:
                socket = await client.ws_connect(f"{shore(line)}/live/socket")
                await socket.receive_json()
                closing = asyncio.create_task(socket.receive())
            assert (await asyncio.wait_for(closing, 60)).data == 1001

    run(story())
