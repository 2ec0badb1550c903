"""Reads frames as server events: a frame is understood whole before any of it counts, or it is Malformed.

Only what we read is checked. What an answer or a transcript came to is read leniently (realtime/client/usage.py), and
so is the time at which a session ends: a session is not lost for the sake of its bill.
"""

from collections.abc import Callable
from typing import Any

import orjson
from pybase64 import b64decode

from realtime.client import usage
from realtime.client.fields import (
    Fields,
    Malformed,
    number,
    number_if_any,
    part,
    part_if_any,
    parts,
    parts_if_any,
    text,
    text_if_any,
)
from realtime.client.server_events import (
    AudioDelta,
    BufferCommitted,
    ErrorEvent,
    ItemAdded,
    ItemDone,
    Other,
    RateLimits,
    ResponseCreated,
    ResponseDone,
    ServerEvent,
    SessionCreated,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    TextDelta,
    TranscriptDelta,
    TranscriptDone,
    WordsDelta,
    WordsDone,
)
from upstream.facts import Allowance, Status, TurnId, Used

STATUSES: dict[str, Status] = {
    "completed": "completed", "cancelled": "cancelled", "failed": "failed", "incomplete": "incomplete",
}  # fmt: skip


def read(frame: bytes | str) -> tuple[str, ServerEvent]:
    """The id of the event in a frame, empty if it has none that is a text, and the event. Raises Malformed."""
    try:
        event: Any = orjson.loads(frame)
    except orjson.JSONDecodeError as error:
        raise Malformed(str(error)) from None
    if type(event) is not dict:
        raise Malformed("no object")
    kind = text(event, "type")
    reader = _READERS.get(kind)
    event_id = event.get("event_id")
    return event_id if type(event_id) is str else "", reader(event) if reader else Other(kind)


def _audio_delta(event: Fields) -> AudioDelta:
    try:
        pcm = b64decode(text(event, "delta"))
    except ValueError as error:
        raise Malformed(str(error)) from None
    return AudioDelta(text(event, "response_id"), pcm, text_if_any(event, "item_id"))


def _words_delta(event: Fields) -> WordsDelta:
    return WordsDelta(text(event, "response_id"), text(event, "delta"), text_if_any(event, "item_id"))


def _words_done(event: Fields) -> WordsDone:
    return WordsDone(text(event, "response_id"), text_if_any(event, "transcript"), text_if_any(event, "item_id"))


def _text_delta(event: Fields) -> TextDelta:
    return TextDelta(text(event, "response_id"), text(event, "delta"), text_if_any(event, "item_id"))


def _text_done(event: Fields) -> WordsDone:
    return WordsDone(text(event, "response_id"), text_if_any(event, "text"), text_if_any(event, "item_id"))


def _speech_started(event: Fields) -> SpeechStarted:
    return SpeechStarted(text(event, "item_id"), int(number(event, "audio_start_ms")))


def _speech_stopped(event: Fields) -> SpeechStopped:
    return SpeechStopped(text(event, "item_id"), int(number(event, "audio_end_ms")))


def _committed(event: Fields) -> BufferCommitted:
    return BufferCommitted(text(event, "item_id"))


def _transcript_delta(event: Fields) -> TranscriptDelta:
    return TranscriptDelta(text(event, "item_id"), text_if_any(event, "delta"))


def _transcript_completed(event: Fields) -> TranscriptDone:
    return TranscriptDone(text(event, "item_id"), text_if_any(event, "transcript"), _transcribed(event))


def _transcript_failed(event: Fields) -> TranscriptDone:
    return TranscriptDone(text(event, "item_id"), "", _transcribed(event))


def _transcribed(event: Fields) -> Used | None:
    return usage.of_transcript(event["usage"]) if event.get("usage") else None


def _rate_limits(event: Fields) -> RateLimits:
    return RateLimits(
        tuple(
            Allowance(text(limit, "name"), number(limit, "remaining"), number_if_any(limit, "reset_seconds"))
            for limit in parts(event, "rate_limits")
        )
    )


def _error(event: Fields) -> ErrorEvent:
    error = part(event, "error")
    code = text_if_any(error, "code") or text_if_any(error, "type") or "unknown"
    return ErrorEvent(code, text_if_any(error, "message") or code, text_if_any(error, "event_id"))


def _response_created(event: Fields) -> ResponseCreated:
    response = part(event, "response")
    return ResponseCreated(text(response, "id"), _ask(response))


def _item_added(event: Fields) -> ItemAdded:
    return ItemAdded(text(event, "response_id"), text(part(event, "item"), "id"))


def _item_done(event: Fields) -> ItemDone:
    return ItemDone(text(event, "response_id"), text_if_any(part(event, "item"), "status") == "completed")


def _response_done(event: Fields) -> ResponseDone:
    response = part(event, "response")
    details = part_if_any(response, "status_details")
    error = part_if_any(details, "error")
    output = parts_if_any(response, "output")
    items = [text_if_any(item, "id") for item in output]
    words = [text_if_any(said, "text") for item in output for said in parts_if_any(item, "content")]
    return ResponseDone(
        response=text(response, "id"),
        ask=_ask(response),
        status=STATUSES.get(text_if_any(response, "status"), "incomplete"),
        reason=text_if_any(error, "code") or text_if_any(error, "type") or text_if_any(details, "reason"),
        message=text_if_any(error, "message"),
        items=tuple(filter(None, items)),
        words=" ".join(filter(None, words)),
        used=usage.of_response(response["usage"]) if response.get("usage") else None,
    )


def _ask(response: Fields) -> TurnId:
    try:
        return TurnId(int(text_if_any(part_if_any(response, "metadata"), "ask") or 0))
    except ValueError as error:
        raise Malformed(str(error)) from None


def _session_created(event: Fields) -> SessionCreated:
    return SessionCreated(_expires_at(part_if_any(event, "session")))


def _session_updated(event: Fields) -> SessionUpdated:
    session = part(event, "session")
    audio = part(session, "audio")
    hears, speaks = part_if_any(audio, "input"), part(audio, "output")
    detects = hears.get("turn_detection") is not None
    return SessionUpdated(
        voice=speaks.get("voice"),
        instructions=text(session, "instructions") if session.get("instructions") is not None else None,
        modalities=session.get("output_modalities"),
        hears=part_if_any(hears, "format"),
        speaks=part_if_any(speaks, "format"),
        shows_turn_detection="turn_detection" in hears,
        turn_detection=part(hears, "turn_detection") if detects else None,
        expires_at=_expires_at(session),
    )


def _expires_at(session: Fields) -> float | None:
    try:
        return number(session, "expires_at")
    except Malformed:
        return None


_READERS: dict[str, Callable[[Fields], ServerEvent]] = {
    "response.output_audio.delta": _audio_delta,
    "response.output_audio_transcript.delta": _words_delta,
    "response.output_audio_transcript.done": _words_done,
    "response.output_text.delta": _text_delta,
    "response.output_text.done": _text_done,
    "response.created": _response_created,
    "response.output_item.added": _item_added,
    "response.output_item.done": _item_done,
    "response.done": _response_done,
    "input_audio_buffer.speech_started": _speech_started,
    "input_audio_buffer.speech_stopped": _speech_stopped,
    "input_audio_buffer.committed": _committed,
    "conversation.item.input_audio_transcription.delta": _transcript_delta,
    "conversation.item.input_audio_transcription.completed": _transcript_completed,
    "conversation.item.input_audio_transcription.failed": _transcript_failed,
    "rate_limits.updated": _rate_limits,
    "error": _error,
    "session.created": _session_created,
    "session.updated": _session_updated,
}
