"""Who comes in by HAProxy: the workers see the callers' own addresses, and nobody takes another one."""

import asyncio
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import trustme
from websockets.asyncio.client import connect

from tests.kit.doors import KEY
from tests.kit.four import TINA
from tests.kit.process import KEYS
from tests.kit.story import WITHIN, run, until
from tests.kit.workers import fleet

pytestmark = pytest.mark.skipif(not shutil.which("haproxy"), reason="no haproxy: apt-get install haproxy")
STRANGER = "127.0.0.2"
MISTAKES = [
    ({"PATH": "/nowhere"}, [], 1, "apt-get install haproxy"),
    ({}, ["--budget-file", "sums.db"], 2, "--budget-file belongs to one process"),
    ({}, ["--host", "0.0.0.0"], 2, "API_KEY"),
    ({}, ["--sessions", "100000"], 2, "in HAProxy, and the system allows"),
    ({}, ["--personas", "README.md"], 2, "n1 did not start"),
]
"""Each takes a process of its own: one of them is run with every change."""


@pytest.mark.parametrize(
    ("environment", "options", "code", "reason"),
    [MISTAKES[0], *(pytest.param(*mistake, marks=pytest.mark.thorough) for mistake in MISTAKES[1:])],
)
def test_what_keeps_a_fleet_from_starting_is_told(
    environment: dict[str, str], options: list[str], code: int, reason: str
) -> None:
    """In a sentence, before the workers are started where that can be; and nothing is left."""
    ours = {name: value for name, value in os.environ.items() if name not in KEYS}
    ours |= {"UPSTREAM_URL": "ws://127.0.0.1:9/v1/realtime", **environment}
    command = [sys.executable, "-m", "supervisor", "serve", "--workers", "2", "--port", "0", *options]
    done = subprocess.run(command, env=ours, capture_output=True, text=True, timeout=3 * WITHIN, check=False)
    assert done.returncode == code, done.stderr
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.thorough
def test_the_address_of_a_caller_is_their_own() -> None:
    """Whatever they say in a header; and one address has no more connections than it may, over all workers."""

    async def story() -> None:
        async with fleet("--limit-loopback", "--address-connections", "3", API_KEY=KEY) as one:
            host, _, port = one.server.address.rpartition(":")
            said = {"X-Forwarded-For": "198.51.100.7", "Forwarded": "for=198.51.100.8", "X-Forwarded-Proto": "https"}
            body = b'{"user": "user-1"}'
            lines = [f"{name}: {value}" for name, value in said.items()]
            lines += [f"Authorization: Bearer {KEY}", f"Content-Length: {len(body)}", f"Host: {host}"]
            ask = "\r\n".join(["POST /api/calls HTTP/1.1", *lines, "Connection: close", "", ""]).encode() + body
            answer = await asyncio.to_thread(talk, host, int(port), ask)
            made = json.loads(answer.partition(b"\r\n\r\n")[2])
            assert made["url"].startswith("ws://")  # not wss, as the header would have it
            url = f"ws://{one.server.address}/ws/user-1?astrologer_id={TINA}"
            token = {"Authorization": f"Bearer {made['token']}"}
            where = {"local_addr": (STRANGER, 0), "proxy": None}
            async with connect(url, additional_headers=said | token, **where) as call:  # type: ignore[arg-type]
                assert json.loads(await call.recv())["type"] == "config_ack"
                (began,) = await one.said("began session=", 1)
                assert f"address={STRANGER}" in began
                await call.send(json.dumps({"type": "text", "text": "It is used by this."}))
                while json.loads(await call.recv())["type"] != "transcript":
                    pass
                for asked in ("", "&node=n1", "&node=n2"):  # a user has one worker, and chooses no other
                    async with connect(f"{url}{asked}", additional_headers=token, proxy=None) as again:
                        await asyncio.wait_for(again.wait_closed(), WITHIN)
                        assert again.close_code == 4401
            while not await is_full(host, int(port)):  # that of the call may still be one of them
                pass
            await until(lambda: not refused(host, int(port)))

    run(story())


def talk(host: str, port: int, ask: bytes) -> bytes:
    """Send this, and return all that is answered."""
    with socket.create_connection((host, port), timeout=WITHIN) as line:
        line.sendall(ask)
        return b"".join(iter(lambda: line.recv(65536), b""))


async def is_full(host: str, port: int) -> bool:
    """True if one more is refused while the stranger holds three connections; false if one of the three was."""
    with ExitStack() as stack, suppress(AssertionError):
        for _ in range(3):
            stack.enter_context(socket.create_connection((host, port), source_address=(STRANGER, 0)))
        await until(lambda: refused(host, port), within=5)
        return True
    return False


def refused(host: str, port: int) -> bool:
    """True if one more connection of the stranger is closed before it asks."""
    with socket.create_connection((host, port), source_address=(STRANGER, 0)) as line:
        line.settimeout(0.5)
        try:
            return line.recv(1) == b""
        except TimeoutError:
            return False
        except ConnectionResetError:
            return True


@pytest.mark.thorough
def test_haproxy_ends_tls_and_the_key_is_in_no_other_file(tmp_path: Path) -> None:
    """With certificate and key of two files, as a server by itself takes them."""
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    made.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    made.private_key_pem.write_to_path(tmp_path / "key.pem")
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def story() -> None:
        files = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
        async with fleet(*files) as one:
            url = f"wss://{one.server.address}/ws/user-1?astrologer_id={TINA}"
            async with connect(url, ssl=trusting, proxy=None) as call:
                assert json.loads(await call.recv())["type"] == "config_ack"
                assert call.response
                assert call.response.headers["Strict-Transport-Security"].startswith("max-age=")
            line, _ = await one.said("listening on /", 2)
            folder = Path(line.split("listening on ")[1].split(",")[0]).parent
            assert all(path.is_socket() for path in folder.iterdir())

    run(story())
