"""However a connection ends, nothing of it waits for a full collection, which holds up all callers."""

import asyncio
import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvloop
from aiohttp.web import BaseRequest

from bench import frames
from tests.kit.doors import call_token, entrance_of
from tests.kit.exchange import Exchange, exchange
from tests.kit.story import run

UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
CHOICE = "/ws/u%d?astrologer_id=mohit_vedic_marriage&mode=stream"
BODY = "Content-Type: application/json\r\nContent-Length: 1000\r\n"


def said(text: bytes) -> bytes:
    """A text frame."""
    return frames.frame(frames.TEXT, text, masked=True)


SENT = [
    b"",
    said(b'{"type":"ping"}'),
    said(b'{"type":"x"}') * 400,
    b"\xff" * 4000,
    frames.frame(frames.CLOSE, b"\x03\xe8", masked=True),
]
"""In a call: nothing, a message, too many that are wrong, no frame, a close."""
ASKED = [
    f"POST /api/astrologers/match HTTP/1.1\r\nHost: HOST\r\n{BODY}\r\n{{",
    "PUT /api/astrologers HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "GET / HTTP/nine\r\nHost: HOST\r\n\r\n",
    "GET /api/astrologers HTTP/1.1\r\nHost: HOST\r\nx\x00y\r\n\r\n",
    "GET /nothing HTTP/1.1\r\nHost: HOST\r\n\r\n",
]
"""Half a body; a method, a protocol, a header and a path that there are not."""


@contextmanager
def garbage() -> Iterator[list[object]]:
    """What is in cycles afterwards of that which began within the context."""
    gc.collect()
    gc.disable()
    found = list[object]()
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        found += gc.garbage
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


async def cut(line: Exchange, head: str, sent: bytes, stays: float) -> None:
    """Ask, send this, and be gone after so many seconds; after none before the answer."""
    host, port = line.http.rpartition("/")[2].split(":")
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(head.replace("HOST", f"{host}:{port}").encode())
    if stays and UPGRADE in head:
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)
    await asyncio.sleep(stays)
    writer.transport.abort()


def ours(one: object) -> bool:
    """True for what a connection or a request is made of."""
    return type(one).__module__.startswith("web.") or issubclass(type(one), BaseRequest)


async def in_cycles(line: Exchange, ways: Callable[[], Iterable[tuple[str, bytes]]], stays: float = 0.1) -> set[str]:
    """The kinds of objects that connections leave which end in these ways, three in each."""

    async def end() -> None:
        await asyncio.gather(*(cut(line, head, sent, stays) for head, sent in ways()))
        await asyncio.sleep(0.5)

    await end()  # what is imported, or made once, is there now
    with garbage() as found:
        for _ in range(3):
            await end()
    return {type(one).__qualname__ for one in found if ours(one)}


@pytest.mark.parametrize("stays", [0.0, 0.002, 0.1])
def test_nothing_is_left_in_cycles(stays: float, caplog: pytest.LogCaptureFixture) -> None:
    """Of a call that is cut off, or broke the rules, and of a request that failed or whose client was gone first."""

    def ways() -> Iterator[tuple[str, bytes]]:
        for number, sent in enumerate(SENT):
            yield f"GET {CHOICE % number} HTTP/1.1\r\nHost: HOST\r\n{UPGRADE}\r\n", sent
        for head in ASKED:
            yield head, b""

    async def scene() -> set[str]:
        async with exchange() as line:
            return await in_cycles(line, ways, stays)

    assert run(scene(), uvloop.new_event_loop) == set()
    assert "Unhandled" not in caplog.text


def test_nor_of_a_caller_with_a_token_who_says_nothing(tmp_path: Path) -> None:
    """A token of one call is used up by its first frame, for which something waits."""

    def ways() -> Iterator[tuple[str, bytes]]:
        yield f"GET {CHOICE % 1}&token={call_token('u1')} HTTP/1.1\r\nHost: HOST\r\n{UPGRADE}\r\n", b""

    async def scene() -> set[str]:
        async with exchange(doors=entrance_of(tmp_path)) as line:
            return await in_cycles(line, ways)

    assert run(scene(), uvloop.new_event_loop) == set()
