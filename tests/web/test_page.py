"""The files of the page, as the server gives them."""

import configparser
import re
from base64 import b64encode
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path

import aiohttp
import pytest

from tests.kit.exchange import exchange
from tests.kit.story import run
from web.page import FILES, INLINE

NAMES = [path.name for path in FILES]
ELSEWHERE = re.compile(r"(?:https?:|wss?:)?//[\w.-]+\.\w+")
XML = "http://www.w3.org"  # names a kind of XML, which nobody loads


def test_the_page_and_all_that_it_loads() -> None:
    """`/` is HTML; what the files name is served, with the type that a strict browser wants."""

    async def story() -> None:
        async with exchange() as line, aiohttp.ClientSession(line.http) as client:
            async with client.get("/") as page:
                assert page.status == 200
                assert page.content_type == "text/html"
            loaded = set()
            for path in FILES:
                loaded |= set(re.findall(r"(?:\./|/client/)([\w.]+\.(?:js|css|svg))", path.read_text()))
            assert loaded == {name for name in NAMES if name != "index.html"}
            types = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
            for path in FILES:
                if path.name == "index.html":
                    continue
                async with client.get(f"/client/{path.name}") as file:
                    assert (file.status, file.content_type) == (200, types[path.suffix[1:]])
                    assert await file.read() == path.read_bytes()

    run(story())


def test_a_wheel_has_all_of_it() -> None:
    """The files lie in packages that are packed, and their names are among the data of these."""
    root = Path(__file__).parents[2]
    setup = configparser.ConfigParser()
    setup.read(root / "setup.cfg")
    packed = setup["options.packages.find"]["include"].replace(",", " ").split()
    for path in [*FILES, INLINE]:
        package = next(parent for parent in path.parents if (parent / "__init__.py").exists())
        name = ".".join(package.relative_to(root).parts)
        patterns = setup["options.package_data"][name].replace(",", " ").split()
        assert any(fnmatch(name, each) for each in packed)
        assert any(fnmatch(str(path.relative_to(package)), pattern) for pattern in patterns)


def test_nothing_comes_from_elsewhere() -> None:
    """The policy forbids it, and the files name no other place."""

    async def story() -> None:
        async with exchange() as line, aiohttp.ClientSession(line.http) as client, client.get("/") as page:
            policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
            assert policy["default-src"] == "'none'"
            (script,) = re.findall(r"<script>(.*?)</script>", await page.text(), re.DOTALL)
            assert script == INLINE.read_text()
            hashed = b64encode(sha256(script.encode()).digest()).decode()
            assert policy.pop("script-src") == f"'self' 'sha256-{hashed}'"
            assert set(policy.values()) == {"'none'", "'self'"}
            assert page.headers["X-Content-Type-Options"] == "nosniff"

    run(story())
    for path in [*FILES, INLINE]:
        found = [place for place in ELSEWHERE.findall(path.read_text()) if place != XML]
        assert found == [], path.name


@pytest.mark.parametrize("path", ["/", "/client/page.js"])
def test_what_a_browser_has_is_not_sent_again(path: str) -> None:
    """It asks each time, and gets 304 without a body until the file is another."""

    async def story() -> None:
        async with exchange() as line, aiohttp.ClientSession(line.http) as client:
            async with client.get(path) as first:
                tag = first.headers["ETag"]
                assert first.headers["Cache-Control"] == "no-cache"
            async with client.get(path, headers={"If-None-Match": tag}) as second:
                assert (second.status, await second.read(), second.headers["ETag"]) == (304, b"", tag)
            async with client.get(path, headers={"If-None-Match": '"older"'}) as third:
                assert third.status == 200

    run(story())


@pytest.mark.parametrize("path", ["/client/", "/client/..%2fpage.py", "/client/../page.py", "/client/index.html"])
def test_nothing_else_is_served(path: str) -> None:
    """Only the names that there are."""

    async def story() -> None:
        async with exchange() as line, aiohttp.ClientSession() as client, client.get(f"{line.http}{path}") as answer:
            assert answer.status == 404

    run(story())


def test_no_markup_is_made_of_data() -> None:
    """What a catalogue or a model says is written as text."""
    for path in [*FILES, INLINE]:
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", path.read_text())
