"""The caller's wire as a pure translator: a text frame becomes a message, a message becomes a frame."""

from base64 import b64encode
from typing import Any

import orjson

import schemas
from actors.messages import (
    AudioResponse,
    Chose,
    Clear,
    Close,
    ConfigAck,
    Error,
    FromCaller,
    HungUp,
    Interrupted,
    Notice,
    Pinged,
    Pong,
    Recorded,
    TextResponse,
    ToCaller,
    Transcript,
    Typed,
)
from audio import Packed, envelope, wav


def read(frame: bytes) -> FromCaller:
    """What the caller said; a frame over 64 KB is taken for a clip, and opened when that is decoded.

    Raises Refused: bad_json, unknown_type, bad_message, bad_base64, audio_too_big.
    """
    if len(frame) > envelope.LARGE:
        return Recorded(Packed(frame))
    message = schemas.opened(frame, schemas.CALLER)
    return _message(message["type"], message)


def _message(kind: str, data: dict[str, Any]) -> FromCaller:
    match kind:
        case "config":
            return Chose(data["astrologer_id"])
        case "audio":
            return Recorded(envelope.clip(data))
        case "text":
            return Typed(data["text"].strip())
        case "interrupt":
            return Interrupted()
        case "ping":
            return Pinged()
        case "end":
            return HungUp()
    raise AssertionError(f"caller.schema.json has a type that is not read: {kind}")


def write(message: ToCaller) -> bytes:
    """The text frame that tells the caller this. Raises AssertionError for a Close, which is not a frame."""
    match message:
        case ConfigAck() | TextResponse() | Transcript() | Clear() | Notice() | Pong():
            return orjson.dumps({"type": _NAMES[type(message)], **_fields(message)})
        case AudioResponse(response_id, pcm):
            audio = b64encode(wav(pcm)).decode()
            sound = {"audio": audio, "mime_type": "audio/wav", "response_id": response_id}
            return orjson.dumps({"type": "audio_response", **sound})
        case Error(code, text):
            return orjson.dumps({"type": "error", "code": code, "message": text, "error": text})
        case Close():
            raise AssertionError("a Close is sent as a close frame")


def _fields(message: ToCaller) -> dict[str, Any]:
    return {name: getattr(message, name) for name in message.__slots__}


_NAMES: dict[type, str] = {
    ConfigAck: "config_ack",
    TextResponse: "text_response",
    Transcript: "transcript",
    Clear: "clear",
    Notice: "notice",
    Pong: "pong",
}
