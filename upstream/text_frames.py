"""Text frames to the upstream, as bytes: 50 a second for each caller.

The library makes an object of each frame, checks it in seven calls and asks the system for its mask key; what we send
is always one whole, uncompressed text frame.
"""

import os
import struct
from collections.abc import Iterable, Iterator

from websockets.frames import apply_mask  # type: ignore[attr-defined]  # in C, where that is installed

KEYS = 1024  # taken from the system at once: a call of it costs more than the mask
TEXT = 0x81  # the only frame of a message
MASKED = 0x80
_SHORT, _MEDIUM, _LONG = struct.Struct(">BB").pack, struct.Struct(">BBH").pack, struct.Struct(">BBQ").pack


def _mask_keys() -> Iterator[bytes]:
    """Unpredictable mask keys of 4 bytes (RFC 6455, 5.3), without end; none is used twice."""
    while True:
        pool = os.urandom(4 * KEYS)
        for at in range(0, len(pool), 4):
            yield pool[at : at + 4]


_keys = _mask_keys()


def text_frames(texts: Iterable[bytes]) -> bytes:
    """The frames of these texts, in UTF-8, one behind the other."""
    return b"".join(map(_text_frame, texts, _keys))


def _text_frame(text: bytes, key: bytes) -> bytes:
    size = len(text)
    if size < 126:
        head = _SHORT(TEXT, MASKED | size)
    elif size < 2**16:
        head = _MEDIUM(TEXT, MASKED | 126, size)
    else:
        head = _LONG(TEXT, MASKED | 127, size)
    return head + key + apply_mask(text, key)
