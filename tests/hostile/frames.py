"""What is sent in a call below the messages: pings, fragments, what is no frame, compression, too large frames."""

import asyncio
import itertools
import zlib
from collections.abc import Callable, Sequence

from bench import frames
from bench.attacks.attacker import Wire, crowd
from tests.hostile.attackers import Guest, text
from tests.hostile.requests import GuestAttack

CALLS = 16
CHOICE = "astrologer_id=tina_kulkarni_vedic_marriage&mode=stream"
PING = b'{"type":"ping"}'
DEFLATE = (
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits; server_max_window_bits=8",
    "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover, x-webkit-deflate-frame",
)
MASKED, LAST, COMPRESSED = 0x80, 0x80, 0x40


def part(first: int, payload: bytes, size: int | None = None, *, masked: bool = True) -> bytes:
    """A frame whose first byte is this, and whose header claims `size` bytes."""
    size = len(payload) if size is None else size
    bit = MASKED if masked else 0
    if size < 126:
        head = bytes((first, bit | size))
    elif size < 65536:
        head = bytes((first, bit | 126)) + size.to_bytes(2)
    else:
        head = bytes((first, bit | 127)) + size.to_bytes(8)
    return head + (bytes(4) if masked else b"") + payload


def _sent(calls: Sequence[Callable[[], list[bytes]]], query: str = CHOICE, headers: Sequence[str] = ()) -> GuestAttack:
    """Each call sends the next of these."""
    turns = itertools.cycle(calls)

    async def attack(guest: Guest) -> None:
        async def call() -> None:
            wire: Wire = await guest.opened(guest.path(query), *headers)
            await guest.flooded(wire, next(turns)())

        await crowd(CALLS, call)

    return attack


def controls() -> GuestAttack:
    """Pings, pongs and closes: many, large, in pieces, within a message; closes that say what may not be said."""
    ping, pong = frames.frame(frames.PING, b"x" * 125, masked=True), frames.frame(frames.PONG, b"", masked=True)
    begun = part(frames.TEXT, b'{"type":')
    closes = [
        b"",
        b"\x03",
        b"\x00\x00",
        b"\x03\xed",
        b"\x03\xee",
        b"\xff\xff",
        b"\x03\xe8\xff\xfe",
        b"\x03\xe8" + b"x" * 123,
    ]
    return _sent([
        lambda: [ping] * 150,
        lambda: [ping * 3000],
        lambda: [pong * 20_000],
        lambda: [begun, ping * 50, part(LAST, b'"ping"}')] * 20,
        lambda: [part(LAST | frames.PING, b"x" * 126)],
        lambda: [part(frames.PING, b"x")],
        *((lambda said=said: [frames.frame(frames.CLOSE, said, masked=True) * 9]) for said in closes),
    ])  # fmt: skip


def fragments() -> GuestAttack:
    """Messages in pieces of a byte or of none, that begin within each other or never end."""
    message = b'{"type":"text","text":"%b"}' % (b"x" * 3000)
    pieces = [part(0, message[at : at + 1]) for at in range(1, len(message) - 1)]
    begins, ends = part(frames.TEXT, message[:1]), part(LAST, message[-1:])
    return _sent([
        lambda: [begins, *pieces, ends],
        lambda: [b"".join([begins, *pieces, ends])],
        lambda: [begins + part(0, b"") * 400] * 40,
        lambda: [part(frames.BINARY, b""), *[part(0, b"") * 10] * 2000],
        lambda: [begins, begins],
        lambda: [part(0, b"x")],
        lambda: [part(LAST, b"x")],
        lambda: [part(frames.TEXT, b"x" * 65_536), *[part(0, b"x" * 65_536)] * 140],
        lambda: [part(frames.BINARY, bytes(2), 2**20), *[bytes(7)] * 500],
    ])  # fmt: skip


def invalid() -> GuestAttack:
    """What is no frame, or no text: no UTF-8, reserved bits and kinds, no mask, sizes that nothing has."""
    texts = [
        b"\xff\xfe",
        b'{"type":"text","text":"\xc0\xaf"}',
        b'{"type":"text","text":"\xed\xa0\x80"}',
        b"\x80" * 60_000,
    ]
    texts += [
        b'{"type":"text","text":"\xf4\x90\x80\x80"}',
        b'{"type":"\xe0\xa4"}',
        b"\0" * 65_000,
        PING.decode().encode("utf-16"),
    ]
    odd = [part(LAST | bits | kind, PING) for bits in (0x10, 0x20, 0x40, 0x70) for kind in (1, 2, 8, 9)]
    odd += [part(LAST | kind, PING) for kind in (3, 4, 7, 11, 15)] + [part(LAST | frames.TEXT, PING, masked=False)]
    sizes = (2**63, 2**63 - 1, 2**40, 8 * 2**20, 8 * 2**20 + 1, 2**64 - 1)
    odd += [part(LAST | kind, PING * 100, size) for size in sizes for kind in (frames.TEXT, frames.BINARY, frames.PING)]
    odd += [bytes(4000), b"\xff" * 4000, b"GET / HTTP/1.1\r\n\r\n" * 100, b"\x81\xfe\x00\x00", b"\x81\xff" + bytes(8)]
    said = [lambda data=data: [text(data)] * 5 for data in texts]
    return _sent([*said, *((lambda data=data: [data]) for data in odd)])


def compressed() -> GuestAttack:
    """permessage-deflate is offered, and used: messages, and megabytes of zeros in a few kilobytes."""

    def packed(data: bytes) -> bytes:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")

    bomb, small = packed(bytes(64 * 2**20)), packed(PING)
    first = LAST | COMPRESSED | frames.TEXT
    calls = [
        lambda: [part(first, small)],
        lambda: [part(first, bomb)],
        lambda: [text(PING)] * 20 + [part(first, bomb)] * 3,
        lambda: [part(COMPRESSED | frames.TEXT, bomb[:1000]), part(LAST, bomb[1000:])],
        lambda: [part(first, b"\xff" * 1000)],
    ]
    both = [_sent(calls, headers=[offer]) for offer in DEFLATE]

    async def attack(guest: Guest) -> None:
        await asyncio.gather(*(each(guest) for each in both))

    return attack
