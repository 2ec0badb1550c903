"""A TLS connection to the model is read in small pieces, on a real socket."""

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
import uvloop
from websockets.asyncio.server import ServerConnection, serve

from tests.kit.story import WITHIN, run
from upstream import dialling
from upstream.dialling import READ_BYTES, Connect

LONG = "x" * 300_000
LOOPS = pytest.mark.parametrize("loop", [uvloop.new_event_loop, asyncio.new_event_loop])

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl")


@LOOPS
def test_a_long_frame_comes_whole_and_in_pieces(loop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop's TLS is never given more than READ_BYTES at once, and the frame is as it was sent."""
    sizes = list[int]()

    class Watched(dialling.Pieces):
        def get_buffer(self, sizehint: int) -> memoryview:
            buffer = super().get_buffer(sizehint)
            sizes.append(len(buffer))
            return buffer

    monkeypatch.setattr(dialling, "Pieces", Watched)
    server_side, client_side = certificate(tmp_path)

    async def say(socket: ServerConnection) -> None:
        await socket.send(LONG)
        await socket.send(await socket.recv())
        await socket.wait_closed()

    async def story() -> None:
        async with serve(say, "127.0.0.1", 0, ssl=server_side, compression=None) as server:
            url = f"wss://localhost:{server.sockets[0].getsockname()[1]}"
            async with asyncio.timeout(WITHIN), Connect(url, ssl=client_side, proxy=None, max_size=None) as socket:
                assert await socket.recv() == LONG
                await socket.send(LONG[::2])
                assert await socket.recv() == LONG[::2]
        assert len(sizes) > len(LONG) / READ_BYTES
        assert max(sizes) <= READ_BYTES

    run(story(), loop)


@LOOPS
def test_a_certificate_that_is_not_trusted_is_refused(loop: Any, tmp_path: Path) -> None:
    """As without the pieces: an OSError, before anything is sent."""
    server_side, _ = certificate(tmp_path)

    async def story() -> None:
        async with serve(lambda socket: socket.wait_closed(), "127.0.0.1", 0, ssl=server_side) as server:
            url = f"wss://localhost:{server.sockets[0].getsockname()[1]}"
            with pytest.raises(ssl.SSLCertVerificationError):
                await Connect(url, ssl=ssl.create_default_context(), proxy=None)

    run(story(), loop)


@LOOPS
def test_a_server_that_vanishes_closes_the_connection(loop: Any, tmp_path: Path) -> None:
    """Its end is told through the pieces."""
    server_side, client_side = certificate(tmp_path)

    async def vanish(socket: ServerConnection) -> None:
        await socket.recv()
        socket.transport.abort()

    async def story() -> None:
        async with serve(vanish, "127.0.0.1", 0, ssl=server_side) as server:
            url = f"wss://localhost:{server.sockets[0].getsockname()[1]}"
            async with asyncio.timeout(WITHIN):
                socket = await Connect(url, ssl=client_side, proxy=None)
                await socket.send("now")
                await socket.wait_closed()
            assert socket.close_code == 1006

    run(story(), loop)


def test_without_tls_nothing_is_changed() -> None:
    """The library opens the connection itself."""

    async def story() -> None:
        async with serve(lambda socket: socket.wait_closed(), "127.0.0.1", 0) as server:
            socket = await Connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", proxy=None)
            assert socket.transport.get_protocol() is socket
            await socket.close()

    run(story())


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The TLS contexts of a server called localhost, and of a client that trusts it."""
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    command += " -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem"
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return server_side, ssl.create_default_context(cafile=str(folder / "cert.pem"))
