"""What a client may put into a conversation: messages, function calls and what came of them."""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from typing import Any

from realtime.server.formats import FromWire, whole_samples
from realtime.server.shape import Rejected, array, join, missing, one_of, record, short_text, text, unknown

LONGEST_APPEND = 15 * 2**20  # characters of base64
PARTS = {
    "user": ("input_text", "input_audio"),
    "system": ("input_text",),
    "assistant": ("output_text", "output_audio"),
}
CALL_ID = re.compile(r"[a-zA-Z0-9_-]+")

_NAMED = {
    "id": short_text(64),
    "object": one_of("realtime.item"),
    "status": one_of("completed", "incomplete", "in_progress"),
}


def call_id(value: Any, path: str) -> Any:
    """Letters, digits, `_` and `-`."""
    short_text(64)(value, path)
    if not CALL_ID.fullmatch(value):
        message = f"Invalid '{path}': expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
        raise Rejected("invalid_value", message, path)
    return value


_CALL = record(
    ("type", "name", "arguments"), type=text, name=short_text(128), arguments=text, call_id=call_id, **_NAMED
)
_OUTPUT = record(("type", "call_id", "output"), type=text, call_id=call_id, output=text, **_NAMED)


def item(value: Any, path: str) -> Any:
    """A message, a function call or its output."""
    match value:
        case {"type": "function_call"}:
            return _CALL(value, path)
        case {"type": "function_call_output"}:
            return _OUTPUT(value, path)
        case _:
            return _message(value, path)


def item_or_reference(value: Any, path: str) -> Any:
    """What the `input` of a response lists."""
    match value:
        case {"type": "item_reference"}:
            return record(("id",), type=text, id=text)(value, path)
        case _:
            return item(value, path)


def in_pcm(given: Iterable[dict[str, Any]], heard: dict[str, Any], said: dict[str, Any]) -> Iterator[None]:
    """Make PCM of the audio in checked items, of which users' is in the format `heard` and assistants' in `said`.

    In steps of less than a millisecond, for others want their turn in between.
    """
    for part in (part for each in given for part in each.get("content", ()) if "audio" in part):
        wire = FromWire(heard if part["type"] == "input_audio" else said)
        data, pcm = part["audio"], bytearray()
        for start in range(0, len(data), size := wire.step(max(len(data), 1))):
            pcm += wire.pcm(data[start : start + size])
            yield
        part["audio"] = whole_samples(bytes(pcm))


def _message(value: Any, path: str) -> Any:
    """A message whose parts suit its role: text, or audio, or what was said in it. No pictures."""
    role = value.get("role") if isinstance(value, dict) else None
    return record(
        ("type", "role", "content"),
        type=one_of("message", "function_call", "function_call_output"),
        role=one_of(*PARTS),
        content=array(_SPOKEN if role == "assistant" else _HEARD if role == "user" else _TOLD),
        **_NAMED,
    )(value, path)


def _audio(value: Any, path: str) -> bytes:
    """Base64, as the bytes that it stands for."""
    try:
        return b64decode(short_text(LONGEST_APPEND)(value, path), validate=True)
    except (binascii.Error, ValueError):
        raise Rejected("invalid_value", f"Invalid '{path}': expected base64 of audio.", path) from None


def _absent(value: Any, path: str) -> Any:
    """What another kind of part has: the SDKs write it, too, as null."""
    raise unknown(path)


def _part(written: str, spoken: str | None, *needs: str) -> Any:
    """A part of the kind `written`, which has text, or `spoken`, which has one of `needs`."""
    kinds = one_of(written, spoken) if spoken else one_of(written)
    others = {"image_url": _absent, "detail": _absent}
    text_part = record(("type", "text"), type=kinds, text=text, audio=_absent, transcript=_absent, **others)
    sound_part = record(("type",), type=kinds, audio=_audio, transcript=text, text=_absent, **others)

    def check(value: Any, path: str) -> Any:
        if spoken is None or not isinstance(value, dict) or value.get("type") != spoken:
            return text_part(value, path)
        part = sound_part(value, path)
        if not any(need in part for need in needs):
            raise missing(join(path, needs[0]))
        return part

    return check


_TOLD = _part("input_text", None)
_HEARD = _part(*PARTS["user"], "audio", "transcript")
_SPOKEN = _part(*PARTS["assistant"], "transcript")
