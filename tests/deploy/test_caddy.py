"""What Caddy makes of deploy/Caddyfile: a real one, with a server behind it that says its name."""

import asyncio
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from tests.kit.echoes import Echo
from tests.kit.ports import free_port
from tests.kit.story import WITHIN, run

EXAMPLE = (Path(__file__).parents[2] / "deploy" / "Caddyfile").read_text()
PROGRAM = shutil.which("caddy")
pytestmark = pytest.mark.skipif(not PROGRAM, reason="no caddy: apt-get install caddy")
KEEPS_STREAMS = (2, 7)
"""The version from which `stream_close_delay` is known."""
HERE = "{\n\thttp_port %d\n\thttps_port %d\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n"


def version() -> tuple[int, ...]:
    """Of the Caddy that is here."""
    assert PROGRAM
    said = subprocess.run([PROGRAM, "version"], capture_output=True, text=True, check=True, timeout=WITHIN).stdout
    return tuple(map(int, re.findall(r"\d+", said)[:2]))


@contextmanager
def caddy(folder: Path, port: int, server: Path) -> Iterator[Path]:
    """One that runs with the example, on a port of this machine; gives the file of its authority, once it is there."""
    assert PROGRAM
    text = EXAMPLE.replace("{\n", HERE % (free_port(), port), 1)
    if version() < KEEPS_STREAMS:
        text = text.replace("stream_close_delay 80s", "")
    file, log = folder / "Caddyfile", folder / "log"
    file.write_text(text)
    told = {"DOMAIN": "localhost", "SERVER": f"unix/{server}", "XDG_DATA_HOME": str(folder), "HOME": str(folder)}
    command = [PROGRAM, "run", "--config", str(file), "--adapter", "caddyfile"]
    with log.open("w") as written:
        process = subprocess.Popen(command, env={**os.environ, **told}, stderr=written)
    try:
        root = folder / "caddy/pki/authorities/local/root.crt"
        deadline = time.monotonic() + WITHIN
        while "certificate obtained successfully" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.01)
        yield root
    finally:
        process.terminate()
        process.wait(WITHIN)


async def called(folder: Path) -> None:
    """Call by https, and say who one is; then no server is there."""
    echo, port = Echo(folder, "n1"), free_port()
    await echo.start()
    with caddy(folder, port, echo.path) as authority:
        told = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
        dial = partial(
            connect,
            f"wss://localhost:{port}/ws/u1?token=secret",
            ssl=ssl.create_default_context(cafile=str(authority)),
            proxy=None,
            additional_headers=told,
            subprotocols=[Subprotocol("bearer.secret")],
        )
        async with asyncio.timeout(WITHIN), dial() as connection:
            assert await connection.recv() == "n1"
            await (await connection.ping())
        (asked,) = echo.asked
        assert asked.headers.get_all("X-Forwarded-For") in (["127.0.0.1"], ["::1"])
        assert asked.headers["X-Forwarded-Proto"] == "https"
        assert asked.headers["Host"] == f"localhost:{port}"
        assert "Forwarded" not in asked.headers
        assert asked.path == "/ws/u1?token=secret"
        await echo.stop()
        with pytest.raises(InvalidStatus, match="502"):
            await dial()
    log = (folder / "log").read_text()
    assert "/ws/u1" in log  # the error, of which Caddy tells with the address
    assert "secret" not in log


def test_a_call_by_https() -> None:
    """The server is told who calls by Caddy alone; a token is in no line of the log."""
    with tempfile.TemporaryDirectory(prefix="ca") as folder:
        run(called(Path(folder)))
