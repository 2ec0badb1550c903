"""Slashes that nobody meant."""

import pytest

from tests.kit.exchange import exchange
from tests.kit.story import run
from tests.kit.strangers import Line
from web.slashes import tidy

HANDSHAKE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


@pytest.mark.parametrize(
    ("path", "same"),
    [
        ("/", "/"),
        ("//", "/"),
        ("/?a=//b/", "/?a=//b/"),
        ("/health", "/health"),
        ("//ws///user-1//", "/ws/user-1"),
        ("/ws/user-1/?match=a//b/", "/ws/user-1?match=a//b/"),
        ("/ws/a%2F%2Fb%2F", "/ws/a%2F%2Fb%2F"),
        ("*", "*"),
        ("http://astro.local//ws", "http://astro.local//ws"),
    ],
)
def test_doubled_slashes_and_the_last_one_are_left_out(path: str, same: str) -> None:
    """Of the path alone: neither of a query nor of what is escaped."""
    assert tidy(path) == same


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/ws/user-1/", HANDSHAKE, 101),
        ("//ws/user-1", HANDSHAKE, 101),
        ("/ws-mobile//user-1/?mode=clip", HANDSHAKE, 101),
        ("/ws/user-1/?mode=video", HANDSHAKE, 400),
        ("/ws//", HANDSHAKE, 404),
        ("//health/", (), 200),
        ("/api//astrologers/?limit=1", (), 200),
        ("/api/astrologers//tina_kulkarni_vedic_marriage/", (), 200),
        ("/client/page.js/", (), 200),
        ("//", (), 200),
    ],
)
def test_an_address_is_the_same_with_them(path: str, headers: tuple[str, ...], status: int) -> None:
    """Of a call, and of everything else that is served."""

    async def story() -> None:
        async with exchange() as line:
            stranger = await Line.dial(line.http.removeprefix("http://"))
            assert (await stranger.ask(path, *headers))[0] == status
            stranger.hang_up()

    run(story())
