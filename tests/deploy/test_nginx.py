"""What nginx makes of deploy/nginx.conf: a real one, with servers behind it that say their names, and a real one."""

import asyncio
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import trustme
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from tests.kit.echoes import Echo, becomes, call, who
from tests.kit.ports import free_port
from tests.kit.process import server
from tests.kit.proxies import NGINX, NONE, Nginx, nginx, nginx_conf, open_folder
from tests.kit.story import WITHIN, run, until

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not NGINX, reason="no nginx: apt-get install nginx-light")
SHORT = "2s"


def story(
    told: Callable[[Nginx, Echo, Echo], Awaitable[None]], changes: Mapping[str, str] = NONE, ping: float | None = None
) -> None:
    """Two servers n1 and n2, and nginx in front of them, for as long as the story is told. n2 may ping."""

    async def tell(folder: Path) -> None:
        port = free_port()
        async with AsyncExitStack() as stack:
            nodes = [Echo(folder, "n1"), Echo(folder, "n2", ping)]
            for echo in nodes:
                await echo.start()
                stack.push_async_callback(echo.stop)
            proxy = stack.enter_context(nginx(nginx_conf(folder, port, changes), folder, port))
            await told(proxy, *nodes)

    with open_folder() as folder:
        run(tell(folder))


def test_calls_are_placed_and_come_back() -> None:
    """New calls are spread; a caller comes back to a node that lives, ready or not, and else to another."""

    async def told(proxy: Nginx, n1: Echo, n2: Echo) -> None:
        calls = [await call(proxy.front) for _ in range(6)]
        assert sorted(name for _, name in calls) == ["n1"] * 3 + ["n2"] * 3
        for connection, _ in calls:
            await connection.close()
        for name in ("n1", "n2"):
            assert await who(proxy.front, f"?resume=true&node={name}") == name
        n1.ready = False
        assert {await who(proxy.front) for _ in range(10)} == {"n2"}
        assert await who(proxy.front, "?resume=true&node=n1") == "n1"
        assert {await who(proxy.front, "?resume=true&node=n9") for _ in range(4)} == {"n2"}
        await n1.stop()
        assert await who(proxy.front, "?resume=true&node=n1") == "n2"
        assert {await who(proxy.front) for _ in range(4)} == {"n2"}
        n2.ready = False
        for query in ("", "?resume=true&node=n1"):
            assert await who(proxy.front, query) == "n2"  # who says why
        await n2.stop()
        assert await who(proxy.front) == "nobody"
        await n1.start()
        n1.ready = True
        await becomes(proxy.front, "", "n1")

    story(told)


def test_a_call_of_a_draining_server_stays() -> None:
    """Who is on the line is not cut off when the server says that it is not ready."""

    async def told(proxy: Nginx, n1: Echo, _: Echo) -> None:
        connection, _name = await call(proxy.front, "?node=n1")
        n1.ready = False
        assert await who(proxy.front) == "n2"
        async with asyncio.timeout(WITHIN):
            await (await connection.ping())
        await connection.close()

    story(told)


def test_pings_keep_a_silent_call() -> None:
    """The limit is longer than the time between two pings; a line without any is ended. Here both are shorter."""

    async def told(proxy: Nginx, _: Echo, n2: Echo) -> None:
        silent, _name = await call(proxy.front, "?node=n1")
        pinged, _name = await call(proxy.front, "?node=n2")
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(silent.recv(), WITHIN)
        async with asyncio.timeout(WITHIN):
            await (await pinged.ping())
        await pinged.close()

    story(told, {"proxy_read_timeout 75s": f"proxy_read_timeout {SHORT}"}, ping=0.2)


def test_the_server_is_told_who_calls() -> None:
    """By this proxy alone, whatever the caller says, also through a gate; a token is in no log."""

    async def told(proxy: Nginx, n1: Echo, n2: Echo) -> None:
        claims = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
        url = f"ws://127.0.0.1:{proxy.port}/ws/u1?token=secret"
        async with connect(
            url, additional_headers=claims, proxy=None, subprotocols=[Subprotocol("voice")]
        ) as connection:
            await connection.recv()
        (asked,) = n1.asked + n2.asked
        assert asked.headers.get_all("X-Forwarded-For") == ["127.0.0.1"]
        assert asked.headers["X-Forwarded-Proto"] == "http"
        assert asked.headers["Host"] == f"127.0.0.1:{proxy.port}"
        assert asked.headers["Sec-WebSocket-Protocol"] == "voice"
        assert "Forwarded" not in asked.headers
        assert asked.path == "/ws/u1?token=secret"
        await n1.stop()
        await n2.stop()
        with pytest.raises(InvalidStatus, match="502"):
            await connect(url, proxy=None)
        await until(lambda: "GET /ws/u1 101" in proxy.log and "GET /ws/u1 502" in proxy.log)
        assert "secret" not in proxy.log + (proxy.folder / "error.log").read_text()

    story(told)


def test_tls_as_its_comment_says() -> None:
    """The three lines that are commented out, with a certificate."""
    port, authority = free_port(), trustme.CA()

    async def told(proxy: Nginx, _: Echo, __: Echo) -> None:
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        async with connect(f"wss://localhost:{port}/ws/u1", ssl=trusting, proxy=None) as connection:
            assert await connection.recv() in {"n1", "n2"}

    with tempfile.TemporaryDirectory() as folder:
        certificate = authority.issue_cert("localhost")
        certificate.private_key_pem.write_to_path(f"{folder}/key.pem")
        for blob in certificate.cert_chain_pems:
            blob.write_to_path(f"{folder}/cert.pem", append=True)
        changes = {"# listen 443 ssl": f"listen 127.0.0.1:{port} ssl", "# ssl_certificate": "ssl_certificate"}
        story(told, {**changes, "/etc/ssl/voice": folder})


@pytest.mark.thorough
def test_a_real_call(tmp_path: Path) -> None:
    """It is answered, and goes on where its line is cut."""
    command = [sys.executable, "-m", "supervisor", "call", "--astrologer", "mohit_vedic_marriage", "--stream"]
    command += ["--audio", str(ROOT / "clips" / "en_proposal.m4a"), "--out", str(tmp_path), "--drop", "3"]
    with open_folder() as folder, server("--trusted-proxy", "127.0.0.1") as node:
        port = free_port()
        with nginx(nginx_conf(folder, port, nodes=[node.address] * 2), folder, port) as proxy:
            command += ["--url", f"ws://127.0.0.1:{proxy.port}"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=3 * WITHIN, check=False, cwd=ROOT)
            assert done.returncode == 0, done.stdout + done.stderr
            assert "marriage proposal" in done.stdout, done.stdout
            assert proxy.log.count("GET /ws-mobile/caller 101") > 1
