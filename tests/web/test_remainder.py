"""How it is seen that a client has nothing more to send."""

import asyncio
import os
import struct

import pytest

from tests.kit.story import WITHIN, run
from web.client_limits import ClientLimits
from web.remainder import Remainder

LONG = ClientLimits(linger_seconds=1e6, quiet_seconds=1e6)


def close(code: int, reason: bytes = b"", mask: bytes = b"abcd") -> bytes:
    """A client's close frame."""
    payload = struct.pack(">H", code) + reason
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return bytes([0x88, 0x80 | len(payload)]) + mask + masked


def ends(segments: list[bytes], limits: ClientLimits = LONG, code: int = 1009) -> bool:
    """True if after these segments nothing more is waited for."""

    async def story() -> bool:
        remainder = Remainder(code, limits)
        for segment in segments:
            remainder.discard(segment)
        try:
            await asyncio.wait_for(remainder.end(), WITHIN if limits is not LONG else 0.01)
        except TimeoutError:
            return False
        return True

    return run(story())


@pytest.mark.parametrize("reason", [b"", b"x", b"r" * 123])
@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_the_clients_close_frame_is_the_end(reason: bytes, pieces: int) -> None:
    """With any mask and any reason, behind the rest of a frame, and in as many segments as it comes."""
    data = bytes(100_000) + close(1009, reason, os.urandom(4))
    size = len(data) // pieces + 1
    assert ends([data[at : at + size] for at in range(0, len(data), size)])
    assert ends([data[:-1], data[-1:]])


@pytest.mark.parametrize(
    "data", [b"", b"\x88", b"\x88\x80", close(1000), close(1009) + b"x", close(1009)[:-1], bytes(200)]
)
def test_other_bytes_are_not(data: bytes) -> None:
    """Nor a close frame with another code, which may as well be sound."""
    assert not ends([data])


@pytest.mark.parametrize(
    "limits",
    [
        ClientLimits(linger_seconds=1e6, quiet_seconds=0.01),
        ClientLimits(linger_seconds=0.01, quiet_seconds=1e6),
        ClientLimits(linger_seconds=1e6, quiet_seconds=1e6, linger_bytes=100),
    ],
)
def test_a_limit_is_the_end(limits: ClientLimits) -> None:
    """Of silence, of time, or of bytes."""
    assert ends([bytes(100)], limits)
