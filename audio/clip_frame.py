"""The audio message of the wire: a clip in base64 in JSON.

A small message is parsed on the event loop. To parse a large one there would delay every caller of the server (10 MB
took 70 to 110 ms), so its frame is sent to a decoding process as it is (`Packed`) and parsed there (`unpack`).
"""

import re
from dataclasses import dataclass
from typing import Any

import schemas
from audio.clip_base64 import decode_base64
from audio.codec import MAX_CLIP_BYTES
from schemas import Refused

LARGE = 64 * 1024  # bytes of a frame; only an audio message may be larger
LONGEST = 3 * MAX_CLIP_BYTES // 2
"""Most bytes of a frame: base64 makes 4 bytes of 3, and the rest is for line breaks and escapes in it."""
_BEGINS = re.compile(rb'\s*\{\s*"type"\s*:\s*"([a-z]{1,20})"')


@dataclass(frozen=True, slots=True)
class Packed:
    """A text frame that is too large to be parsed on the event loop. Only an audio message may be so large."""

    frame: bytes


def pack(frame: bytes) -> Packed:
    """Wrap a large frame without parsing it. Raises Refused (bad_message) if it begins as a message of another type."""
    if (begins := _BEGINS.match(frame)) and (kind := begins[1].decode()) != "audio" and kind in schemas.CALLER:
        raise _too_large(kind)
    return Packed(frame)


def unpack(frame: bytes) -> bytes:
    """Parse a large frame and return its clip, in bytes of a file.

    Raises Refused: bad_json, unknown_type, bad_message, bad_base64, audio_too_big.
    """
    message = schemas.parse_message(frame, schemas.CALLER)
    if message["type"] != "audio":
        raise _too_large(message["type"])
    return clip(message)


def _too_large(kind: str) -> Refused:
    return Refused("bad_message", f"This {kind} message is over {LARGE // 1024} KB: only audio may be so large.")


def too_big() -> Refused:
    """The refusal of a clip, or of its frame, that is larger than allowed."""
    limit = MAX_CLIP_BYTES // 2**20
    return Refused("audio_too_big", f"The clip is larger than {limit} MiB: record a shorter one, or compress it.")


def clip(message: dict[str, Any]) -> bytes:
    """Decode the base64 of an audio message to the bytes of a file.

    Raises Refused: bad_base64, audio_too_big.
    """
    text = message.get("audio") or message.get("data") or ""
    if len(text) * 3 // 4 > MAX_CLIP_BYTES + 1024:  # base64 makes 4 characters of 3 bytes
        raise too_big()
    return decode_base64(text)
