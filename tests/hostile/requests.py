"""What is sent as HTTP: handshakes of strangers, bodies that never end, odd paths and headers, guessed keys."""

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeAlias

from bench.attacks.attacker import Wire, crowd
from tests.hostile import words
from tests.hostile.attackers import Guest
from tests.kit.doors import KEY, call_token, login
from tests.test_doors_hostile import PATHS, REQUESTS, UPGRADE

AT_ONCE = 12
GuestAttack: TypeAlias = Callable[[Guest], Awaitable[None]]

ROUTES = (
    "GET /", "GET /health", "GET /ready", "GET /api/astrologers", "GET /api/astrologers/x", "GET /metrics",
    "POST /api/astrologers/match", "POST /api/calls", "GET /ws/user-1", "GET /client/call.js", "GET /page.js",
)  # fmt: skip
LENGTHS = ("-1", "0x10", "1e9", "18446744073709551616", "99999999999999999999999", "5, 6", "\t7", "+5", "")
HEADERS = (
    *("X: " + "y" * 8000, "X" * 8000 + ": y", "X : y", ": y", "X\0: y", "Cookie: " + "a=b;" * 1900),
    *("Host: evil.example", "Host: ", "Host: localhost:99999999", "Host: [::1", "Origin: null", "Origin: javascript:x"),
    *("Transfer-Encoding: chunked, identity", "Transfer-Encoding: \x0bchunked", "Expect: 100-continue"),
    *("Range: bytes=0-0,1-1,2-2,3-3" + ",4-4" * 900, "If-None-Match: " + '"x",' * 1900, "Accept-Encoding: br;q=x"),
    *("Upgrade: h2c", "Connection: close, keep-alive, upgrade", "HTTP2-Settings: AAAA", "TE: trailers"),
    *("X-Forwarded-For: " + "127.0.0.1, " * 700, "Forwarded: for=" + '"' * 4000, "Accept-Language: " + "a," * 3900),
)


def request(first: str, *headers: str, body: bytes = b"") -> bytes:
    """A request; what is no UTF-8 comes as surrogates."""
    length = [f"Content-Length: {len(body)}"] if body else []
    lines = "\r\n".join([f"{first} HTTP/1.1", "Host: localhost", *headers, *length, "", ""])
    return lines.encode("utf-8", "surrogateescape") + body


def _asked(requests: Sequence[bytes], *, admin: bool = False, at_once: int = AT_ONCE) -> GuestAttack:
    """Each of them, again and again, on a connection of its own."""
    turns = itertools.cycle(requests)

    async def attack(guest: Guest) -> None:
        await crowd(at_once, lambda: guest.ask(next(turns), admin=admin))

    return attack


def strangers() -> GuestAttack:
    """Handshakes of people without a token, or with one that is bad in any way that we know."""
    return _asked([_spelled(lines()) for lines in REQUESTS.values()])


def _spelled(lines: Sequence[str]) -> bytes:
    return "\r\n".join([lines[0], "Host: localhost", *lines[1:], "", ""]).encode("utf-8", "surrogateescape")


def odd() -> list[bytes]:
    """Odd paths, headers, lengths and first lines, at every route."""
    said = [words.quoted(text) for text in words.EVERY]
    paths = [*PATHS, *(f"/ws/{text}" for text in said), *(f"/api/astrologers/{text}" for text in said)]
    paths += [f"/api/astrologers?q={text}&language={text}&limit={text}" for text in said]
    paths += [
        f"/client/{text}" for text in (*said, "%2e%2e/%2e%2e/supervisor.py", "..%5c..%5csetup.cfg", "//etc/passwd")
    ]
    paths += ["/" + "a/" * 3000, "/?" + "a=b&" * 1500, "/%" * 2000, "/\udcff\udcfe", "/a b"]
    some = [request(f"GET {path}") for path in paths]
    some += [request(route, header) for route in ROUTES for header in HEADERS]
    some += [request("POST /api/calls", f"Content-Length: {length}") + b"{}" for length in LENGTHS]
    some += [request(f"{method} /", "X: y") for method in ("BREW", "get", "G\0ET", "GET" * 2000, "PRI", "TRACE")]
    some += [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), b"\r\n" * 4000, b"\0" * 9000, b"GET /\r\n"]
    some += [
        request("POST /api/calls", "Content-Length: 4", "Transfer-Encoding: chunked") + b"0\r\n\r\nGET /x HTTP/1.1"
    ]
    some += [request(f"GET /ws/{text}", *UPGRADE, f"Sec-WebSocket-Protocol: {text}") for text in said]
    return [*some, *(request("GET /", *["X: y"] * number) for number in (0, 100, 1000, 5000))]


def requests() -> GuestAttack:
    """All of these."""
    return _asked(odd())


def admin() -> GuestAttack:
    """The same at the admin shore, whose token they do not have."""
    tokens = (
        "",
        "x",
        words.ADMIN_TOKEN[:-1],
        f"{words.ADMIN_TOKEN} x",
        KEY,
        call_token(),
        login(),
        "\udcff",
        "A" * 7000,
    )
    some = [request("GET /metrics", f"Authorization: Bearer {token}") for token in tokens]
    some += [request(f"{method} /metrics") for method in ("GET", "POST", "OPTIONS", "HEAD", "PUT")]
    return _asked([*some, *odd()], admin=True)


def keys() -> GuestAttack:
    """POST /api/calls with keys that are not, and with the right one and a body that is no good."""
    fields = [{"user": text, "astrologer_ids": [text], "mode": text, "seconds": text} for text in words.EVERY]
    bodies = [json.dumps(one).encode() for one in [*fields, *({"user": text} for text in words.EVERY)]]
    bodies += [b"[" * 60_000, b'{"user":' * 9000, b'{"user":"u","x":[' + b"0," * 30_000 + b"0]}", b"\xff" * 1000]
    bodies += [b'{"user":"u","astrologer_ids":[' + b'"x",' * 15_000 + b'"x"]}', b'{"user":"' + b"u" * 60_000 + b'"}']
    bodies += [b'{"user":"u","seconds":%b}' % number for number in (b"1e999", b"-1", b"9" * 4000, b"NaN", b"true")]
    guesses = ("", "x", KEY[:-1], KEY[:-1] + "x", KEY * 2, call_token(), login(), "\udcff" * 100, "A" * 7000)
    some = [request("POST /api/calls", f"Authorization: Bearer {guess}", body=bodies[0]) for guess in guesses]
    return _asked(some + [request("POST /api/calls", f"Authorization: Bearer {KEY}", body=body) for body in bodies])


def _begun() -> Iterator[tuple[bytes, bytes]]:
    """What a slow client sends at once, and what it sends again and again."""
    for route in ("POST /api/calls", "POST /api/astrologers/match", "POST /", "GET /health"):
        for key in (KEY, "x"):
            bearer = f"Authorization: Bearer {key}"
            yield request(route, bearer, "Content-Length: 1000000") + b'{"user":"', b"x"
            yield request(route, bearer, "Transfer-Encoding: chunked"), b"1\r\nx\r\n"
            yield request(route, bearer, "Transfer-Encoding: chunked"), b"1;" + b"x" * 300 + b"\r\ny\r\n"
            yield request(route, bearer, "Transfer-Encoding: chunked") + b"FFFFFFFFFFFFFFF\r\n", b"x" * 1000
    yield b"GET /ws/user-1 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n", b"X: y\r\n"


def slow() -> GuestAttack:
    """Bodies and handshakes that come a byte at a time."""
    turns = itertools.cycle(_begun())

    async def attack(guest: Guest) -> None:
        async def send() -> None:
            begins, goes_on = next(turns)
            wire = await guest.connect()
            try:
                await wire.write(begins)
                while not wire.gone:
                    await wire.write(goes_on)
                    await asyncio.sleep(0.1)
            finally:
                wire.cut()

        await crowd(200, send, pause=0.5)

    return attack


def half_open() -> GuestAttack:
    """Connections of which one half is closed, or that go silent, before the request, within it and after it."""
    asks = request("GET /api/astrologers")
    begins = (b"", asks[:30], asks, b"POST /api/calls HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
    turns = itertools.cycle(range(len(begins) + 4))

    async def attack(guest: Guest) -> None:
        async def open_half() -> None:
            turn = next(turns)
            wire = await (guest.connect() if turn < len(begins) else _call(guest, turn - len(begins)))
            try:
                if turn < len(begins):
                    await wire.write(begins[turn])
                if not wire.gone:
                    wire.transport.write_eof()
                wire.transport.pause_reading()
                await asyncio.sleep(5)
            finally:
                wire.cut()

        await crowd(120, open_half, pause=0.5)

    return attack


async def _call(guest: Guest, kind: int) -> Wire:
    """A call of which nothing more comes: without a choice, with one, that may be resumed, or that would be."""
    match kind:
        case 0:
            return await guest.call()
        case 1:
            return await guest.call("astrologer_id=tina_kulkarni_vedic_marriage&mode=stream")
        case 2:
            return await guest.call("astrologer_id=tina_kulkarni_vedic_marriage&mode=stream&resumable=true")
        case _:
            return await guest.call("resume=true")
