"""What a decoding process may answer. It is checked: whoever takes the process over with a clip writes the answers."""

import math
import struct

import schemas
from audio.codec import LONGEST_CLIP, RATE, WIDTH
from schemas import Refused

HEAD = struct.Struct(">?dI")
"""Decoded; seconds of CPU; length of what follows: PCM, or a refusal: its code, a newline, its message."""

MOST_BYTES = int(LONGEST_CLIP * RATE * WIDTH)
LONGEST_MESSAGE = 8192  # characters; the longest sentences list forty names
CODES = frozenset(schemas.read("answer")["$defs"]["error"]["properties"]["code"]["enum"])


class Implausible(Exception):
    """No decoder of ours answers so."""


def head(raw: bytes, most_seconds: float) -> tuple[bool, float, int]:
    """Read the head of an answer: decoded, seconds of CPU from 0 to `most_seconds`, length. Raises Implausible."""
    decoded, seconds, length = HEAD.unpack(raw)
    if length > MOST_BYTES or (decoded and length % WIDTH):
        raise Implausible(f"wants to answer {length} bytes")
    if math.isnan(seconds) or seconds < 0:
        raise Implausible(f"says that it took {seconds} s")
    return decoded, min(seconds, most_seconds), length


def refusal(payload: bytes) -> Refused:
    """Read a refusal, with a code of the wire and a message, which is cut if it is too long. Raises Implausible."""
    code, _, message = payload.decode(errors="replace").partition("\n")
    if code not in CODES or not message:
        raise Implausible("refuses in no words of ours")
    return Refused(code, message[:LONGEST_MESSAGE])
