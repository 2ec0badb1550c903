"""What pages of other origins may read of REST."""

import pytest

from actors.services import Limits
from tests.kit.exchange import exchange
from tests.kit.story import run
from tests.kit.strangers import Line
from web.addresses import OURSELVES, Addresses

APP, NATIVE = "https://app.example", "capacitor://localhost"
GRANT = "access-control-allow-origin"
ASKS = "Access-Control-Request-Method: POST"


async def ask(line: Line, path: str, *headers: str, method: str = "GET") -> tuple[int, dict[str, str]]:
    """The status, and the headers that CORS has."""
    status, every = await line.ask(path, *headers, method=method)
    return status, {
        name: value for name, value in every.items() if name.startswith("access-control-") or name == "vary"
    }


@pytest.mark.parametrize("page", [APP, NATIVE])
@pytest.mark.parametrize(
    ("path", "status"), [("/api/astrologers", 200), ("/api/astrologers/nobody", 404), ("/health", 200), ("/bogus", 404)]
)
def test_a_page_that_may_call_may_read(page: str, path: str, status: int) -> None:
    """Errors, too, and the tag by which it asks again."""

    async def story() -> None:
        async with exchange(origins=[APP, NATIVE]) as server:
            line = await Line.dial(server.http.removeprefix("http://"))
            got, headers = await ask(line, path, f"Origin: {page}")
            assert (got, headers[GRANT], headers["vary"]) == (status, page, "Origin")
            assert "ETag" in headers["access-control-expose-headers"]
            line.hang_up()

    run(story())


def test_a_browser_that_has_the_list_may_still_read_it() -> None:
    """304 is granted as 200 is: it is what the browser shows the page."""

    async def story() -> None:
        async with exchange(origins=[APP]) as server:
            line = await Line.dial(server.http.removeprefix("http://"))
            _, headers = await line.ask("/api/astrologers", f"Origin: {APP}")
            assert await ask(line, "/api/astrologers", f"Origin: {APP}", f"If-None-Match: {headers['etag']}") == (
                304,
                {GRANT: APP, "vary": "Origin", "access-control-expose-headers": "ETag, Retry-After"},
            )
            line.hang_up()

    run(story())


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ((), "Content-Type, If-None-Match"),
        (("content-type, x-app-version",), "content-type, x-app-version"),
        (("x-app: <b>",), "Content-Type, If-None-Match"),
    ],
)
def test_a_preflight_is_answered(asked: tuple[str, ...], granted: str) -> None:
    """With the methods that there are and the headers that were asked for; the address need not have that method."""

    async def story() -> None:
        async with exchange(origins=[APP]) as server:
            line = await Line.dial(server.http.removeprefix("http://"))
            headers = [f"Access-Control-Request-Headers: {names}" for names in asked]
            status, told = await ask(line, "/api/astrologers/match", f"Origin: {APP}", ASKS, *headers, method="OPTIONS")
            assert (status, told[GRANT], told["access-control-allow-headers"]) == (204, APP, granted)
            assert "POST" in told["access-control-allow-methods"]
            assert "access-control-allow-private-network" not in told
            line.hang_up()

    run(story())


def test_a_page_is_shown_that_it_asks_too_much() -> None:
    """429 is refused before anything is looked at, and yet granted: the page can read how long to wait."""

    async def story() -> None:
        async with exchange(Limits(address_questions=1), origins=[APP], addresses=Addresses((), OURSELVES)) as server:
            line = await Line.dial(server.http.removeprefix("http://"))
            for _ in range(20):
                status, headers = await line.ask("/health", f"Origin: {APP}")
                if status != 200:
                    break
            assert (status, headers[GRANT], "retry-after" in headers) == (429, APP, True)
            line.hang_up()

    run(story())


def test_nobody_else_gets_anything() -> None:
    """A stranger's page is refused as before; without an origin, or without any that is allowed, nothing is granted."""

    async def story() -> None:
        async with exchange(origins=[APP]) as server:
            line = await Line.dial(server.http.removeprefix("http://"))
            for foreign in (f"{APP}.evil.example", "https://evil.example", "null", "http://app.example"):
                assert await ask(line, "/api/astrologers", f"Origin: {foreign}") == (403, {})
                assert await ask(line, "/api/astrologers/match", f"Origin: {foreign}", ASKS, method="OPTIONS") == (
                    403,
                    {},
                )
            rebound = ("Host: evil.example", "Origin: http://evil.example")
            line.writer.write("\r\n".join(["GET /health HTTP/1.1", *rebound, "", ""]).encode())
            status, headers = await line.answer()
            assert (status, GRANT in headers) == (403, False)
            assert await ask(line, "/api/astrologers") == (200, {"vary": "Origin"})
            assert (await ask(line, "/api/astrologers", ASKS, method="OPTIONS"))[0] == 405
            assert (await ask(line, "/api/astrologers", f"Origin: {APP}", method="OPTIONS"))[0] == 405
            line.hang_up()
        async with exchange() as server:
            line = await Line.dial(server.http.removeprefix("http://"))
            assert await ask(line, "/api/astrologers") == (200, {})
            line.hang_up()

    run(story())
