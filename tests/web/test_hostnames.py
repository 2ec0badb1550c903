"""Hosts and origins: what is the same, what is another, and what is none."""

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli import app
from tests.kit.exchange import exchange
from tests.kit.story import run
from web import guard
from web.hostnames import host_to_allow, is_address, origin_to_allow, read_host

MAYA, MAYA_ASCII = "माया.भारत", "xn--r2bc8bb.xn--h2brj9c"


@pytest.mark.parametrize(
    "option",
    [
        "astro.local",
        "Astro.Local",
        "ASTRO.LOCAL.",
        "  astro.local\n",
        "astro.local/",
        "https://astro.local/",
        "HTTP://Astro.Local.:8000/",
        "wss://astro.local:443",
        "astro.local:8000",
    ],
)
@pytest.mark.parametrize(
    "host", ["astro.local", "Astro.Local:8000", "astro.local.", "astro.local.:8000", "ASTRO.LOCAL:"]
)
def test_a_name_is_the_same_however_it_is_written(option: str, host: str) -> None:
    """By whoever starts the server, and by a client."""
    assert guard._host_allowed(host, {host_to_allow(option)})


@pytest.mark.parametrize("option", [MAYA, f"https://{MAYA}/", MAYA_ASCII, MAYA_ASCII.upper(), f"{MAYA}."])
@pytest.mark.parametrize("host", [MAYA, f"{MAYA_ASCII}:8000", MAYA_ASCII.upper(), MAYA.replace(".", "。")])
def test_unicode_and_what_browsers_make_of_it_are_the_same(option: str, host: str) -> None:
    """One of them is what a person writes, the other what goes over the wire."""
    assert guard._host_allowed(host, {host_to_allow(option)})


def test_unicode_is_read_as_browsers_read_it() -> None:
    """By the rules of today: Straße is no Strasse."""
    assert host_to_allow("Straße.example") == "xn--strae-oqa.example"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost:8000",
        "localhost.",
        "127.0.0.1:8000",
        "127.0.0.1.:8000",
        "192.168.1.20",
        "[::1]",
        "[::1]:8000",
        "[FE80::1]:80",
    ],
)
def test_this_machine_and_addresses_are_always_served(host: str) -> None:
    """Nobody can point those at us."""
    assert guard._host_allowed(host, ())


@pytest.mark.parametrize("option", ["192.168.1.20", "http://192.168.1.20:8000/", "[::1]:8000", "::1", "https://[::1]/"])
def test_an_address_may_be_named_though_it_need_not_be(option: str) -> None:
    """It is no mistake, however it is written."""
    assert is_address(host_to_allow(option))


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "..",
        "localhost..",
        "astro.local..",
        "astro.local...",
        ".astro.local",
        "astro..local",
        "astro.local.evil.example",
        "evil.astro.local",
        "evil-astro.local",
        "astro.locale",
        "astro",
        "local",
        "evil.example@astro.local",
        "astro.local@evil.example",
        "astro.local:80@evil.example",
        "@astro.local",
        "astro.local:80:80",
        "astro.local:x",
        "astro.local:65536",
        "astro.local:-1",
        "astro.local/",
        "astro.local/evil",
        "astro.local?evil",
        "astro.local#evil",
        "astro.local\\evil",
        "evil.example/astro.local",
        "http://astro.local",
        "astro.local ",
        "astro.\tlocal",
        "astro.local\n",
        "astro.local,evil.example",
        "astro.local\x00",
        "astro.local%00",
        "astro%2elocal",
        "astro.lоcal",  # the second o is Cyrillic
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "evil.127.0.0.1",
        "１２７.0.0.1",  # a browser writes what it makes of this, and no client else has reason to
        "[::1",
        "::1",
        "[127.0.0.1]",
        "[astro.local]",
        "[::1]evil",
        "[::1]:80:80",
        "astro.local\udcff",
        "a" * 300,
        f"{'ä' * 60}.{'ä' * 300}",
    ],
)
def test_another_name_or_none_is_refused(host: str) -> None:
    """Whatever it has in common with one that is served."""
    assert not guard._host_allowed(host, {"astro.local"})


@given(st.text("astrolc.:/@[]%\\# -。ａ", max_size=14) | st.text(max_size=20))
def test_only_one_name_is_that_name(host: str) -> None:
    """Whatever is thrown at it: what is let in is the name, its case, one dot and a port aside."""
    if guard._host_allowed(host, {"astro.local"}) and not guard._host_allowed(host, ()):
        assert read_host(host)[0] == "astro.local"
        bare = host.partition(":")[0]
        assert not bare.isascii() or bare.lower().removesuffix(".") == "astro.local"


def test_a_name_that_is_too_long_is_not_cut_to_one_that_is_served() -> None:
    """The end of a name is what counts."""
    served = f"ä.{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 40}.local"
    assert guard._host_allowed(served, {host_to_allow(served)})
    for more in range(1, 300):
        assert not guard._host_allowed(served + "x" * more, {host_to_allow(served)})


@pytest.mark.parametrize(
    ("page", "host"),
    [
        ("http://astro.local:8000", "Astro.Local.:8000"),
        ("https://astro.local", "astro.local"),
        ("https://astro.local", "astro.local:443"),
        ("https://astro.local:443", "astro.local"),
        ("http://[::1]:8000", "[0:0::1]:8000"),
        (f"https://{MAYA_ASCII}", MAYA),
        ("ws://astro.local:8000", "astro.local:8000"),
        ("wss://astro.local", "astro.local"),
        ("WSS://Astro.Local:8000/ws-mobile/user-1?mode=clip", "astro.local:8000"),
        ("ws://astro.local:8000?mode=clip", "astro.local:8000"),
        ("http://astro.local:8000/", "astro.local:8000"),
        ("https://astro.local/ws/user-1?mode=clip#top", "astro.local"),
        ("astro.local:8000", "astro.local:8000"),
        ("astro.local", "astro.local"),
        ("[::1]:8000", "[::1]:8000"),
        ("https://astro.local:8443", "astro.local"),
        ("wss://astro.local:8443", "astro.local"),
        ("astro.local:8443", "astro.local"),
    ],
)
def test_our_own_pages_may_call(page: str, host: str) -> None:
    """Scheme, name and port are those by which the server was called; where a proxy dropped the port, the name is.

    Native clients write ws for http, and whole addresses, or no scheme at all: no page can.
    """
    assert guard._origin_allowed(page, host, ())


@pytest.mark.parametrize(
    ("page", "host"),
    [
        ("http://astro.local:8000", "astro.local:8001"),
        ("http://astro.local", "astro.local:443"),
        ("https://astro.local", "astro.local:80"),
        ("http://astro.local.evil.example", "astro.local"),
        ("http://evil.example@astro.local", "astro.local"),
        ("http://astro.local@evil.example", "astro.local"),
        ("http://evil.example/astro.local", "astro.local"),
        ("http://evil.example?@astro.local", "astro.local"),
        ("http://astro.local\\@evil.example", "astro.local"),
        ("http://astro.local..", "astro.local"),
        ("ftp://astro.local", "astro.local"),
        ("ws://evil.example", "astro.local"),
        ("ws://evil.example/astro.local", "astro.local"),
        ("ws://astro.local@evil.example/", "astro.local"),
        ("ws://evil.example#.astro.local", "astro.local"),
        ("ws://evil.example\\.astro.local", "astro.local"),
        ("ws://astro.local:8001/", "astro.local:8000"),
        ("astro.local:8001", "astro.local:8000"),
        ("evil.example", "astro.local"),
        ("astro.local/", "astro.local"),
        ("https://evil.example:8443", "astro.local"),
        ("capacitor://astro.local", "astro.local"),
        ("ws://", "astro.local"),
        ("//astro.local", "astro.local"),
        ("http://", ""),
        ("null", "null"),
        ("", ""),
    ],
)
def test_pages_of_others_may_not(page: str, host: str) -> None:
    """Also those that are nearly ours."""
    assert not guard._origin_allowed(page, host, ())


@pytest.mark.parametrize(
    ("option", "page"),
    [
        ("https://App.Example", "https://app.example"),
        ("https://app.example/", "https://app.example"),
        (" https://app.example.:443 ", "https://app.example"),
        ("http://app.example:80", "http://app.example"),
        ("http://app.example", "http://app.example:80"),
        (f"https://{MAYA}", f"https://{MAYA_ASCII}"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("https://app.example", "wss://app.example/ws/user-1"),
        ("null", "null"),
        ("file://", "file://"),
        ("file:///", "file://"),
        ("file://", "file:///"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("chrome-extension://abcdefghijklmnop/", "chrome-extension://abcdefghijklmnop"),
    ],
)
def test_an_origin_is_the_same_however_it_is_written(option: str, page: str) -> None:
    """The port that a scheme has by itself may be left out; what is no web page is taken as it is."""
    assert guard._origin_allowed(page, "localhost:8000", {origin_to_allow(option)})
    assert origin_to_allow(origin_to_allow(option)) == origin_to_allow(option)


@pytest.mark.parametrize("page", ["http://app.example", "https://app.example:8443", "https://x.app.example", "null"])
def test_another_origin_is_refused(page: str) -> None:
    """Scheme, port and name count."""
    assert not guard._origin_allowed(page, "localhost", {origin_to_allow("https://app.example")})


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        *(
            ("--allow-host", value, "cannot be a host name: write one such as astro.local")
            for value in (
                "a b",
                "",
                " ",
                "astro.local/app",
                "u@astro.local",
                "a,b",
                "*",
                "*.astro.local",
                "a..b",
                "a:b",
            )
        ),
        *(
            ("--allow-origin", value, "cannot be an origin: write scheme and host, such as https://astro.local")
            for value in ("astro.local", "https://a b", "https://a/app", "*", "wss://astro.local", "https://", "")
        ),
    ],
)
def test_what_can_never_be_met_is_told_at_start(option: str, value: str, says: str) -> None:
    """And what to write instead."""
    told = CliRunner().invoke(app, ["serve", option, value], env={"COLUMNS": "200", "TERM": "dumb"})
    assert told.exit_code == 2
    assert f"Invalid value for '{option}'" in told.output
    assert says in told.output


def test_a_server_that_is_told_its_name_is_called_by_it() -> None:
    """Through the real server, where a stranger's name and page are still refused."""

    async def story() -> None:
        async with exchange(hosts=["https://Astro.Local/"], origins=["https://App.Example/"]) as line:
            for headers, status in (
                ({"Host": "astro.local.:8000"}, 200),
                ({"Host": "astro.local", "Origin": "https://app.example"}, 200),
                ({"Host": "astro.local.evil.example"}, 403),
                ({"Host": "astro.local", "Origin": "https://app.example.evil.example"}, 403),
                ({"Host": "astro.local", "Origin": ""}, 200),
                ({"Host": "astro.local", "Origin": "https://astro.local:8443"}, 200),
                ({"Host": "other.local", "Origin": "https://other.local:8443"}, 403),
            ):
                async with aiohttp.ClientSession() as client, client.get(f"{line.http}/health", headers=headers) as got:
                    assert got.status == status

    run(story())
