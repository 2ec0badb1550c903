"""The headers that every answer has, or has not."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from actors.messages.admission import Connected
from actors.messages.caller import Close
from cli.listening import bind
from tests.kit.shore import Porter, shore
from tests.kit.story import WITHIN, run
from tests.kit.strangers import Line
from tests.web.test_acceptor import certificate
from web.acceptor import shown_address

HANDSHAKE = (
    b"GET /ws/user-1 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def nobody(caller: Connected) -> None:
    raise AssertionError("nobody calls")


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/health", 200), ("/api/astrologers", 200), ("/nowhere", 404), ("/ws/ü", 400)]
)
def test_every_answer_forbids_sniffing_and_names_no_server(path: str, status: int) -> None:
    """Also an error; without TLS nobody is told to come by https."""

    async def story() -> None:
        async with (
            shore(Porter(nobody)) as address,
            aiohttp.ClientSession() as client,
            client.get(f"http://{address}{path}") as answer,
        ):
            assert answer.status == status
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "Server" not in answer.headers
            assert "Strict-Transport-Security" not in answer.headers

    run(story())


@pytest.mark.parametrize("said", [b"what?\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n", b"\x16\x03\x01\r\n\r\n"])
def test_what_is_no_http_is_not_told_who_answers(said: bytes) -> None:
    """Such a request reaches no application."""

    async def story() -> None:
        async with shore(Porter(nobody)) as address:
            line = await Line.dial(address, "127.0.0.1")
            line.writer.write(said)
            async with asyncio.timeout(WITHIN):
                status, headers = await line.answer()
            assert status == 400
            assert headers["x-content-type-options"] == "nosniff"
            assert "server" not in headers
            line.hang_up()

    run(story())


def test_who_came_by_https_is_told_to_come_back_by_it(tmp_path: Path) -> None:
    """For thirty days; other names are not spoken of."""

    async def story() -> None:
        ours, theirs = certificate(tmp_path)
        async with (
            shore(Porter(nobody), tls=ours) as address,
            aiohttp.ClientSession() as client,
            client.get(f"https://{address}/health", ssl=theirs) as answer,
        ):
            assert answer.headers["Strict-Transport-Security"] == "max-age=2592000"

    run(story())


def test_the_upgrade_of_a_call_names_no_server() -> None:
    """Nor does the answer that ends a connection which is none."""

    async def story() -> None:
        async with shore(Porter(lambda caller: caller.outbox.tell(Close(1000, "bye")))) as address:
            line = await Line.dial(address, "127.0.0.1")
            line.writer.write(HANDSHAKE)
            status, headers = await line.answer()
            assert status == 101
            assert "server" not in headers
            line.hang_up()

    run(story())


def test_an_ipv6_address_is_written_as_in_a_url() -> None:
    """In the log, too: http://[::1]:8000."""
    with bind("::1", 0) as listener:
        assert shown_address(listener) == f"[::1]:{listener.getsockname()[1]}"
    with bind("127.0.0.1", 0) as listener:
        assert shown_address(listener) == f"127.0.0.1:{listener.getsockname()[1]}"
