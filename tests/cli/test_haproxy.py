"""What HAProxy makes of its configuration: a real one, with two servers behind it that say their names."""

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.asyncio.server import Server, ServerConnection, unix_serve
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.http11 import Request, Response

from cli.failure import CannotServe
from cli.haproxy import Node, check, configuration, find_haproxy
from tests.kit.story import WITHIN, run

EXAMPLE = Path(__file__).parents[2] / "deploy" / "haproxy.cfg"
NEEDS_HAPROXY = pytest.mark.skipif(not shutil.which("haproxy"), reason="no haproxy: apt-get install haproxy")


class Echo:
    """A server that says its name and stays on the line. `ready` is what it says of itself."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name, self.path, self.ready = name, folder / name, True
        self._server: Server | None = None

    async def start(self) -> None:
        self._server = await unix_serve(self._talk, str(self.path), process_request=self._answer)

    async def stop(self) -> None:
        if self._server:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    @property
    def node(self) -> Node:
        """As HAProxy is told of it."""
        return Node(self.name, f"unix@{self.path}")

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path == "/ready":
            return connection.respond(HTTPStatus.OK if self.ready else HTTPStatus.SERVICE_UNAVAILABLE, "")
        return None

    async def _talk(self, connection: ServerConnection) -> None:
        await connection.send(self.name)
        await connection.wait_closed()


@pytest.fixture
def folder() -> Iterator[Path]:
    """For sockets, whose paths must be short."""
    with tempfile.TemporaryDirectory(prefix="ha") as folder:
        yield Path(folder)


@contextmanager
def haproxy(file: Path) -> Iterator[None]:
    """One that runs with this configuration."""
    process = subprocess.Popen([find_haproxy(), "-db", "-q", "-f", str(file)])
    try:
        yield
    finally:
        process.kill()
        process.wait(WITHIN)


async def call(folder: Path, query: str = "") -> tuple[ClientConnection, str]:
    """Call, and hear who answers."""
    connection = await unix_connect(str(folder / "front"), f"ws://localhost/ws/u1{query}", proxy=None)
    return connection, str(await connection.recv()).partition(" ")[0]


async def who(folder: Path, query: str = "") -> str:
    """Who answers a call that hangs up at once; nobody, if nobody does."""
    try:
        connection, name = await call(folder, query)
    except (ConnectionClosed, InvalidHandshake, OSError):
        return "nobody"
    await connection.close()
    return name


async def becomes(folder: Path, query: str, name: str) -> None:
    """Wait until this one answers, ten times in a row."""
    async with asyncio.timeout(WITHIN):
        row = 0
        while row < 10:
            row = row + 1 if await who(folder, query) == name else 0


async def placed(folder: Path) -> None:
    """New calls are spread, a caller comes back to a node that lives, and to another when it does not."""
    async with AsyncExitStack() as stack:
        nodes = [Echo(folder, name) for name in ("n1", "n2")]
        for echo in nodes:
            await echo.start()
            stack.push_async_callback(echo.stop)
        text = configuration(f"unix@{folder / 'front'}", [echo.node for echo in nodes], connections=100, every=50)
        check(text)
        (folder / "cfg").write_text(text)
        stack.enter_context(haproxy(folder / "cfg"))
        await becomes(folder, "?resume=true&node=n1", "n1")
        await becomes(folder, "?resume=true&node=n2", "n2")
        calls = [await call(folder) for _ in range(6)]
        assert sorted(name for _, name in calls) == ["n1"] * 3 + ["n2"] * 3
        for connection, _ in calls:
            await connection.close()
        nodes[0].ready = False
        await becomes(folder, "", "n2")
        assert await who(folder, "?resume=true&node=n1") == "n1"
        assert await who(folder, "?resume=true&node=n9") == "n2"
        await nodes[0].stop()
        await becomes(folder, "?resume=true&node=n1", "n2")


@NEEDS_HAPROXY
def test_calls_are_placed_and_come_back(folder: Path) -> None:
    """With a drain, and with a node that dies."""
    run(placed(folder))


@NEEDS_HAPROXY
def test_the_example_is_what_is_made() -> None:
    """And HAProxy takes it."""
    nodes = [Node("n1", "127.0.0.1:8001"), Node("n2", "127.0.0.1:8002")]
    made = configuration("127.0.0.1:8000", nodes)
    assert EXAMPLE.read_text().partition("\n\n")[2] == made
    check(EXAMPLE.read_text())


@NEEDS_HAPROXY
def test_what_haproxy_refuses_is_told_in_its_words() -> None:
    """With the line."""
    with pytest.raises(CannotServe, match="unknown keyword 'nonsense'"):
        check(configuration("127.0.0.1:8000", [Node("n1", "127.0.0.1:8001")]) + "    nonsense\n")


@pytest.mark.parametrize("names", [[], ["n1", "n1"], ["ready"], ["n 1"], [""]])
def test_nodes_have_names(names: list[str]) -> None:
    """Each its own."""
    with pytest.raises(ValueError, match="different names"):
        configuration("127.0.0.1:8000", [Node(name, "127.0.0.1:8001") for name in names])


def test_without_haproxy_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """To install it, or the way by hand."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(CannotServe, match=r"apt-get install haproxy.*By hand"):
        find_haproxy()
