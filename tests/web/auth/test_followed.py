"""What is read again and again: it is there when it is away, and nobody waits for it but who asks."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from tests.kit.story import run, until
from web.auth import followed
from web.auth.followed import FAULTS, MOST_BYTES, Followed, from_address, from_file

Answer = Callable[[web.Request], web.Response]


class Source:
    """Says what the test wants, and counts how often it is asked."""

    def __init__(self) -> None:
        self.says: bytes | Exception = b"1"
        self.asked = 0

    async def __call__(self) -> bytes:
        self.asked += 1
        await asyncio.sleep(0)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


def test_the_old_is_kept_while_the_new_cannot_be_read(caplog: pytest.LogCaptureFixture) -> None:
    """A login that is away, or says nonsense, keeps nobody out; it is logged once, and without what was said."""
    source = Source()
    caplog.set_level("INFO")

    async def story() -> None:
        one = Followed("the keys", source, int, 0.001)
        await one.load()
        async with one.following():
            for says in (OSError(5, "gone"), b"nonsense", OSError(6, "away")):
                source.says, before = says, source.asked
                await until(lambda before=before: source.asked > before + 2)  # type: ignore[misc]
                assert one.value == 1
            source.says = b"2"
            await until(lambda: one.value == 2)

    run(story())
    lines = [record.getMessage() for record in caplog.records if record.name == followed.__name__]
    assert len(lines) == len(set(lines))
    assert any("gone" in line for line in lines)
    assert not any("nonsense" in line for line in lines)
    assert lines[-1] == "the keys could be read again"


def test_who_asks_for_something_newer_waits_for_one_reading() -> None:
    """However many ask, and a minute passes before it is read for them again."""
    source = Source()

    async def story() -> None:
        one = Followed("the keys", source, int, 3600)
        await asyncio.gather(*(one.renew() for _ in range(50)))
        values = [one.value]
        source.says = b"2"
        await one.renew()
        values.append(one.value)
        assert source.asked == 1
        one._asked_at -= followed.RENEW_SECONDS
        await one.renew()
        assert [*values, one.value] == [1, 1, 2]

    run(story())


def test_a_file_is_followed(tmp_path: Path) -> None:
    """Also one that is replaced; one that is too large is not read to its end."""
    file = tmp_path / "file"
    file.write_text("1")

    async def story() -> None:
        one = Followed("the file", from_file(file), int, 0.001)
        await one.load()
        async with one.following():
            file.write_text("2")
            await until(lambda: one.value == 2)
            file.unlink()
            (tmp_path / "new").write_text("3")
            (tmp_path / "new").rename(file)
            await until(lambda: one.value == 3)
        file.write_bytes(b"9" * (MOST_BYTES + 1))
        with pytest.raises(ValueError, match="more than"):
            await one.load()

    run(story())


@asynccontextmanager
async def login(answer: Answer) -> AsyncIterator[tuple[str, ssl.SSLContext]]:
    """An https server; its address, and the context with which it is trusted."""
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(client)
    app = web.Application()

    async def handle(request: web.Request) -> web.Response:
        return answer(request)

    app.add_routes([web.get("/{path:.*}", handle)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "localhost", 0, ssl_context=server)
    await site.start()
    try:
        yield f"https://localhost:{runner.addresses[0][1]}/jwks", client
    finally:
        await runner.cleanup()


def test_an_address_is_read_by_https() -> None:
    """As it is: no redirect is followed, nothing is unpacked, and nothing without end is read."""
    asked: list[web.Request] = []
    answers: dict[str, Answer] = {
        "good": lambda request: web.json_response({"keys": []}),
        "elsewhere": lambda request: web.Response(status=302, headers={"Location": "/good"}),
        "broken": lambda request: web.Response(status=500),
        "endless": lambda request: web.Response(body=b" " * (MOST_BYTES + 1)),
    }
    now = ["good"]

    def answer(request: web.Request) -> web.Response:
        asked.append(request)
        return answers[now[0]](request)

    async def story() -> None:
        async with login(answer) as (url, tls):
            read = from_address(url, tls)
            assert json.loads(await read()) == {"keys": []}
            for now[0] in ("elsewhere", "broken", "endless"):
                with pytest.raises(ValueError):  # noqa: PT011
                    await read()
            assert len(asked) == 4
            assert {request.path for request in asked} == {"/jwks"}
            now[0] = "good"
            with pytest.raises(FAULTS):  # who vouches for it is not known
                await from_address(url)()

    run(story())


@pytest.mark.parametrize(
    "url", ["http://login.example/jwks", "https://", "https://[", "file:///etc/passwd", "ftp://login.example"]
)
def test_no_other_address_is_read(url: str) -> None:
    """Whoever is on the way could put a key of their own in its place."""
    with pytest.raises(ValueError, match="https"):
        from_address(url)
