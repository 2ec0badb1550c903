"""Translates the frames of the app's protocol to messages, and messages to frames. Pure."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import Any

import orjson
from pybase64 import b64encode

import schemas
from actors.messages.caller import (
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
    Receipt,
    Recorded,
    ResponseDone,
    ResponseStarted,
    ResumeAsked,
    Sound,
    SpeechStarted,
    SpeechStopped,
    Summary,
    TextResponse,
    ToCaller,
    Transcript,
    Typed,
)
from actors.messages.caring import Help, HelpNumber
from actors.messages.resuming import Encoded, Moved, NotResumed, Resumed, ResumeOffer
from audio import SYNTHETIC, clip_frame, wav_head
from personas import Persona, Profile
from personas.meter import Bill
from web.error_size import limit_text

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # all but tabs and line breaks
_EASTERNMOST = timezone(timedelta(hours=14))
PIECE = 3 * 8192  # bytes of audio in one part of a message: half a second on a slow line; in base64 without padding


def read(frame: bytes) -> FromCaller:
    """The message in a text frame. A frame over 64 KB must be a clip, and is parsed by the decoder process.

    Raises Refused: bad_json, unknown_type, bad_message, bad_base64, audio_too_big.
    """
    if len(frame) > clip_frame.LONGEST:
        raise clip_frame.too_big()
    if len(frame) > clip_frame.LARGE:
        return Recorded(clip_frame.pack(frame))
    message = schemas.parse_message(frame, schemas.CALLER)
    if message["type"] == "ack":
        return Receipt(int(message["received"]))
    said = _message(message["type"], message)
    received = None if isinstance(said, ResumeAsked) else message.get("received")
    return said if received is None else Receipt(int(received), said)


def _message(kind: str, data: dict[str, Any]) -> FromCaller:
    match kind:
        case "config":
            profile = Profile.read(data["profile"], today=_newest_day()) if "profile" in data else None
            mode = data.get("audio", {}).get("mode")
            return Chose(data["astrologer_id"], mode, profile, data.get("resumable", False))
        case "played":
            return Played(data["response_id"], int(data["ms"]))
        case "audio":
            return Recorded(clip_frame.clip(data))
        case "text":
            return Typed(_CONTROLS.sub(" ", data["text"]).strip())
        case "interrupt":
            return Interrupted()
        case "ping":
            return Pinged()
        case "resume":
            return ResumeAsked(data["token"], int(data["attach"]), int(data["received"]))
        case "end":
            return HungUp()
    raise AssertionError(f"caller.schema.json has a type that is not read: {kind}")


def _newest_day() -> date:
    """The latest date on earth, so that no date of birth that exists somewhere is refused as future."""
    return datetime.now(_EASTERNMOST).date()


def write(message: ToCaller) -> bytes:
    """The payload of a frame: binary for a Sound, else text. Raises AssertionError for a Close."""
    match message:
        case Sound(_, pcm):
            return pcm
        case AudioResponse():
            return b"".join(pieces(message))
        case Error(code, text, limit, seconds):
            cut, more = limit_text(text), {"limit": limit, "retry_after": seconds} if limit else {}
            return orjson.dumps({"type": "error", "code": code, "message": cut, "error": cut, **more})
        case Summary(bill, told):
            return orjson.dumps({"type": "summary", **_sums(bill, told)})
        case Help(text, numbers, metered):
            more = {"numbers": numbers} if metered else {"numbers": numbers, "metered": False}
            return orjson.dumps({"type": "notice", "code": "help", "message": text, **more})
        case NotResumed(code, text, bill, words, told):
            summary = {"summary": _sums(bill, told)} if bill and (bill.stays or told) else {}
            more = {**summary, **({"text": words} if words else {})}
            return orjson.dumps({"type": "not_resumed", "code": code, "message": text, **more})
        case Resumed(moved=Moved() as moved):
            fields = _fields(replace(message, moved=None)) | _fields(moved)
            return orjson.dumps({"type": "resumed", **fields})
        case ConfigAck(resume=ResumeOffer() as offer):
            return orjson.dumps({"type": "config_ack", **_fields(message), "resume": _fields(offer)})
        case Encoded(frame):
            return frame
        case Close():
            raise AssertionError("a Close is sent as a close frame")
        case _:
            return orjson.dumps({"type": _NAMES[type(message)], **_fields(message)})


def pieces(reply: AudioResponse) -> Iterator[bytes]:
    """The frame of a whole reply in pieces: to encode two minutes at once would hold the loop for 30 ms.

    What says that the voice is synthetic stands behind the audio, since some players skip 44 bytes and play the rest.
    """
    head, pcm = wav_head(len(reply.pcm), len(SYNTHETIC)), memoryview(reply.pcm)
    yield b'{"type":"audio_response","mime_type":"audio/wav","response_id":%b,"audio":"' % orjson.dumps(
        reply.response_id
    )
    starts = [0, *range(PIECE - len(head), len(pcm), PIECE)]
    for start, end in zip(starts, [*starts[1:], len(pcm)], strict=True):
        file = pcm[start:end] if start else head + pcm[:end]
        yield b64encode(bytes(file) + SYNTHETIC if end == len(pcm) else file)
    yield b'"}'


def _fields(message: ToCaller | ResumeOffer | Moved) -> dict[str, Any]:
    """The fields of a message, without those that are None."""
    fields = ((name, getattr(message, name)) for name in message.__slots__)
    return {name: value for name, value in fields if value is not None}


def _sums(bill: Bill, told: tuple[HelpNumber, ...]) -> dict[str, Any]:
    stays = [{**_who(stay.persona), "seconds": stay.seconds, **_price(stay.price)} for stay in bill.stays]
    return {"seconds": bill.seconds, "by_persona": stays, **_price(bill.price), **({"help": told} if told else {})}


def _who(persona: Persona) -> dict[str, str]:
    return {"astrologer_id": persona.id, "name": persona.name}


def _price(price: object) -> dict[str, Any]:
    return {"price": price} if price else {}


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
    Resumed: "resumed",
}
