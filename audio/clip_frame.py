"""An audio message as it comes over the wire: JSON around base64 around a clip.

A small one is opened where it arrives. A large one would hold up every caller of the server (10 MB took 70 to 110 ms),
so it travels to a decoding process as it is, and is opened there.
"""

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass
from typing import Any

import schemas
from audio.codec import MAX_CLIP_BYTES
from schemas import TOO_MUCH, Refused

LARGE = 64 * 1024  # bytes; only an audio message may be larger
LONGEST = 3 * MAX_CLIP_BYTES // 2
"""Bytes of a frame; base64 makes 4 of 3, and the rest is for line breaks and escapes in it. More is no clip of ours."""
MOST_PARTS = 100  # of JSON in a large one: base64 has none, and a million empty lists would not fit into a worker
_BEGINS = re.compile(rb'\s*\{\s*"type"\s*:\s*"([a-z]{1,20})"')
BLANKS = b" \t\r\n\f\v"


@dataclass(frozen=True, slots=True)
class Packed:
    """A text frame that is too large to be opened on the event loop: an audio message, if it is anything."""

    frame: bytes


def pack(frame: bytes) -> Packed:
    """Leave a large frame as it is. Raises Refused: bad_message, where it begins as a message of another type."""
    if (begins := _BEGINS.match(frame)) and (kind := begins[1].decode()) != "audio" and kind in schemas.CALLER:
        raise _too_large(kind)
    return Packed(frame)


def unpack(frame: bytes) -> bytes:
    """The clip in a large frame.

    Raises Refused: bad_json, unknown_type, bad_message, bad_base64, audio_too_big.
    """
    if schemas.parts(frame) > MOST_PARTS:
        raise Refused("bad_message", TOO_MUCH)
    message = schemas.opened(frame, schemas.CALLER)
    if message["type"] != "audio":
        raise _too_large(message["type"])
    return clip(message)


def _too_large(kind: str) -> Refused:
    return Refused("bad_message", f"This {kind} message is over {LARGE // 1024} KB: only audio may be so large.")


def too_big() -> Refused:
    """What may not be larger is."""
    limit = MAX_CLIP_BYTES // 2**20
    return Refused("audio_too_big", f"The clip is larger than {limit} MiB: record a shorter one, or compress it.")


def clip(message: dict[str, Any]) -> bytes:
    """The file in an audio message; a data URL, as browsers make them, and line breaks are accepted.

    Raises Refused: bad_base64, audio_too_big.
    """
    text = message.get("audio") or message.get("data") or ""
    if len(text) * 3 // 4 > MAX_CLIP_BYTES + 1024:  # base64 makes 4 characters of 3 bytes
        raise too_big()
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return b64decode(text.encode("ascii").translate(None, BLANKS), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("bad_base64", f"The clip is not base64 ({error}): encode the whole file once.") from None
