"""The caller's wire as a pure translator: a text frame becomes a message, a message becomes a frame."""

import binascii
from base64 import b64decode, b64encode
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
    Played,
    Pong,
    Recorded,
    ResponseDone,
    ResponseStarted,
    Sound,
    SpeechStarted,
    SpeechStopped,
    Spoke,
    TextResponse,
    ToCaller,
    Transcript,
    Typed,
)
from audio import wav
from audio.codec import MAX_CLIP_BYTES
from schemas import Refused

TYPES = ", ".join(schemas.CALLER)
LARGE = 64 * 1024  # characters; a message that large is a clip
MOST_PARTS = 100  # of JSON in it: base64 has none, and parsing a million empty lists would hold up every caller
LONGEST_FRAME = 480_000  # bytes: ten seconds of PCM16 at 24 kHz
TOO_NESTED = "It holds too much JSON for a message: send the fields of the schema only."


def read(frame: str) -> FromCaller:
    """What the caller said. Raises Refused: bad_json, unknown_type, bad_message, bad_base64, audio_too_big."""
    if len(frame) > LARGE and sum(map(frame.count, "[{,")) > MOST_PARTS:
        raise Refused("bad_message", TOO_NESTED)
    try:
        return _read(frame)
    except RecursionError:  # orjson takes deeper nests than Python can print
        raise Refused("bad_message", TOO_NESTED) from None


def _read(frame: str) -> FromCaller:
    try:
        data = orjson.loads(frame)
    except orjson.JSONDecodeError as error:
        raise Refused("bad_json", f"This is not JSON ({error}): send one JSON object per text frame.") from None
    if not isinstance(data, dict):
        raise Refused("bad_json", 'This is JSON but not an object: send one such as {"type": "ping"}.')
    kind = data.get("type")
    if not isinstance(kind, str) or kind not in schemas.CALLER:
        shown = repr(kind[:40]) if isinstance(kind, str) else "that is no string"
        raise Refused("unknown_type", f"There is no message type {shown}: send one of {TYPES}.")
    if kind == "audio":
        _refuse_too_big(data)
    if fault := schemas.fault(schemas.CALLER[kind], data):
        raise Refused("bad_message", f"In the {kind} message: {fault}")
    return _message(kind, data)


def _message(kind: str, data: dict[str, Any]) -> FromCaller:
    match kind:
        case "config":
            return Chose(data["astrologer_id"], data.get("audio", {}).get("mode"))
        case "played":
            return Played(data["response_id"], int(data["ms"]))
        case "audio":
            return Recorded(_clip(data.get("audio") or data.get("data") or ""))
        case "text":
            return Typed(data["text"].strip())
        case "interrupt":
            return Interrupted()
        case "ping":
            return Pinged()
        case "end":
            return HungUp()
    raise AssertionError(f"caller.schema.json has a type that is not read: {kind}")


def _refuse_too_big(data: dict[str, Any]) -> None:
    """Before anything looks into it: base64 makes 4 characters of 3 bytes."""
    size = max((len(text) for key in ("audio", "data") if isinstance(text := data.get(key), str)), default=0)
    if size * 3 // 4 > MAX_CLIP_BYTES + 1024:
        limit = MAX_CLIP_BYTES // 2**20
        raise Refused("audio_too_big", f"The clip is larger than {limit} MiB: record a shorter one, or compress it.")


def _clip(text: str) -> bytes:
    """The file that the text stands for; a data URL, as browsers make them, and line breaks are accepted."""
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("bad_base64", f"The clip is not base64 ({error}): encode the whole file once.") from None


def read_audio(frame: bytes) -> Spoke:
    """What the caller said, in a binary frame. Raises Refused: empty_audio, bad_message, audio_too_long."""
    if not frame:
        raise Refused("empty_audio", "The frame is empty: send PCM16 little-endian, mono, 24 kHz.")
    if len(frame) % 2:
        raise Refused("bad_message", "The frame holds half a sample: send PCM16, two bytes a sample.")
    if len(frame) > LONGEST_FRAME:
        raise Refused("audio_too_long", "The frame holds more than 10 s of audio: send frames of 20 ms.")
    return Spoke(frame)


def write(message: ToCaller) -> bytes:
    """The frame that tells the caller this: binary for a Sound, else text. A Close is no frame: AssertionError."""
    match message:
        case Sound(_, pcm):
            return pcm
        case AudioResponse(response_id, pcm):
            audio = b64encode(wav(pcm)).decode()
            sound = {"audio": audio, "mime_type": "audio/wav", "response_id": response_id}
            return orjson.dumps({"type": "audio_response", **sound})
        case Error(code, text):
            return orjson.dumps({"type": "error", "code": code, "message": text, "error": text})
        case Close():
            raise AssertionError("a Close is sent as a close frame")
        case _:
            return orjson.dumps({"type": _NAMES[type(message)], **_fields(message)})


def _fields(message: ToCaller) -> dict[str, Any]:
    return {name: getattr(message, name) for name in message.__slots__}


_NAMES: dict[type, str] = {
    ConfigAck: "config_ack",
    TextResponse: "text_response",
    ResponseStarted: "response_started",
    ResponseDone: "response_done",
    SpeechStarted: "speech_started",
    SpeechStopped: "speech_stopped",
    Transcript: "transcript",
    Clear: "clear",
    Notice: "notice",
    Pong: "pong",
}
