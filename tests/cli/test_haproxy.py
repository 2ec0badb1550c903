"""What HAProxy makes of its configuration: a real one, with two servers behind it that say their names."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import trustme

from cli.failure import CannotServe
from cli.haproxy import Manner, Node, check, configuration, find_haproxy
from tests.kit.echoes import Echo, becomes, call, who
from tests.kit.proxies import haproxy
from tests.kit.story import run

EXAMPLE = Path(__file__).parents[2] / "deploy" / "haproxy.cfg"
NEEDS_HAPROXY = pytest.mark.skipif(not shutil.which("haproxy"), reason="no haproxy: apt-get install haproxy")


def seen(echo: Echo) -> Node:
    """As HAProxy is told of it."""
    return Node(echo.name, f"unix@{echo.path}")


@pytest.fixture
def folder() -> Iterator[Path]:
    """For sockets, whose paths must be short."""
    with tempfile.TemporaryDirectory(prefix="ha") as folder:
        yield Path(folder)


async def placed(folder: Path) -> None:
    """New calls are spread, a caller comes back to a node that lives, and to another when it does not."""
    front = folder / "front"
    async with AsyncExitStack() as stack:
        nodes = [Echo(folder, name) for name in ("n1", "n2")]
        for echo in nodes:
            await echo.start()
            stack.push_async_callback(echo.stop)
        text = configuration(f"unix@{front}", [seen(echo) for echo in nodes], connections=100, every=50)
        check(text)
        (folder / "cfg").write_text(text)
        stack.enter_context(haproxy(folder / "cfg"))
        await becomes(front, "?resume=true&node=n1", "n1")
        await becomes(front, "?resume=true&node=n2", "n2")
        calls = [await call(front) for _ in range(6)]
        assert sorted(name for _, name in calls) == ["n1"] * 3 + ["n2"] * 3
        for connection, _ in calls:
            await connection.close()
        back = [await call(front, "?resume=true&node=n1") for _ in range(2)]
        calls = [await call(front) for _ in range(2)]
        assert [name for _, name in back + calls] == ["n1", "n1", "n2", "n2"]  # who is back counts
        for connection, _ in back + calls:
            await connection.close()
        nodes[0].ready = False
        await becomes(front, "", "n2")
        assert await who(front, "?resume=true&node=n1") == "n1"
        assert await who(front, "?resume=true&node=n9") == "n2"
        await nodes[0].stop()
        await becomes(front, "?resume=true&node=n1", "n2")


@NEEDS_HAPROXY
def test_calls_are_placed_and_come_back(folder: Path) -> None:
    """With a drain, and with a node that dies."""
    run(placed(folder))


async def noticed(folder: Path) -> None:
    """A node dies between two checks; whoever asks for it, or for anybody, is answered by the other."""
    front = folder / "front"
    async with AsyncExitStack() as stack:
        nodes = [Echo(folder, name) for name in ("n1", "n2")]
        for echo in nodes:
            await echo.start()
            stack.push_async_callback(echo.stop)
        manner = Manner(sticky=True, alive=f"unix@{folder / 'alive'}")
        text = configuration(f"unix@{front}", [seen(echo) for echo in nodes], 100, 60_000, manner)
        (folder / "cfg").write_text(text)
        stack.enter_context(haproxy(folder / "cfg"))
        await becomes(front, "?resume=true&node=n1", "n1")
        await listening(folder / "alive")
        first = await who(front)
        assert [await who(front) for _ in range(4)] == [first] * 4  # it is one user
        dead, other = sorted(nodes, key=lambda echo: echo.name != first)
        await dead.stop()
        assert await who(front, f"?resume=true&node={dead.name}") == other.name
        assert [await who(front) for _ in range(4)] == [other.name] * 4


async def chosen(folder: Path) -> None:
    """A user who has a call at one node asks for each of them."""
    front = folder / "front"
    async with AsyncExitStack() as stack:
        nodes = [Echo(folder, name) for name in ("n1", "n2", "n3")]
        for echo in nodes:
            await echo.start()
            stack.push_async_callback(echo.stop)
        text = configuration(f"unix@{front}", [seen(echo) for echo in nodes], 100, 50, Manner(sticky=True))
        check(text)
        (folder / "cfg").write_text(text)
        stack.enter_context(haproxy(folder / "cfg"))
        await becomes(front, "?node=n3", "n3")  # nothing is known of them: they are taken at their word
        for query in ("?node=n1", "?resume=true&node=n2", "?node=n1&node=n2", ""):
            assert await who(front, query) == "n3", query
        nodes[2].ready = False
        await becomes(front, "?resume=true&node=n3", "n3")
        await nodes[2].stop()
        elsewhere = await who(front, "?resume=true&node=n3")
        assert elsewhere in ("n1", "n2")
        await nodes[2].start()
        for query in ("?node=n1", "?node=n2", "?resume=true&node=n3", ""):
            assert await who(front, query) == elsewhere, query


@NEEDS_HAPROXY
def test_no_user_chooses_a_second_node(folder: Path) -> None:
    """Where each counts for itself that would be another share of each limit: they come back to where they were."""
    run(chosen(folder))


async def listening(path: Path) -> None:
    """See that HTTP is answered there."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()
    await writer.wait_closed()


@NEEDS_HAPROXY
def test_who_has_died_is_noticed_by_the_first_who_asks(folder: Path) -> None:
    """Not at the next check only. And a user is placed where they were."""
    run(noticed(folder))


@NEEDS_HAPROXY
def test_all_that_it_can_be_told_is_understood(tmp_path: Path) -> None:
    """By HAProxy itself, with a certificate, proxies in front of it, and limits."""
    made = trustme.CA().issue_cert("127.0.0.1")
    made.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    manner = Manner(
        certificate=str(tmp_path / "both.pem"),
        proxies=("10.0.0.0/8", "2001:db8::/32"),
        address_connections=100,
        address_connects=10,
        sticky=True,
        alive=f"unix@{tmp_path / 'alive'}",
        stop_seconds=5,
    )
    text = configuration("127.0.0.1:8443", [Node("blr.n1", "127.0.0.1:8001")], manner=manner)
    check(text)
    assert "http-request del-header X-Forwarded-For unless proxy" in text


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
