"""What a client may say and what a session is set to: the tables of the strict part of the protocol."""

import copy
from typing import Any, TypeAlias

from realtime.server.formats import PCM, audio_format, whole
from realtime.server.items import LONGEST_APPEND, item, item_or_reference
from realtime.server.shape import (
    Check,
    Rejected,
    any_of,
    anything,
    array,
    missing,
    nullable,
    one_of,
    record,
    short_text,
    text,
    within,
    wrong_type,
    wrong_value,
)
from realtime.server.turn_detection import filled, turn_detection

Event: TypeAlias = dict[str, Any]

VOICES = ("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar")
MOST_TOKENS = 128_000  # what the context of a model holds
TRANSCRIBER = "gpt-transcribe"  # what a session that only transcribes says it does so with
LONGEST_LIFE = 3600  # seconds: what the real API gives a session


def only_null(value: Any, path: str) -> None:
    if value is not None:
        raise Rejected("invalid_value", f"Only null is served at '{path}'.", path)


def metadata(value: Any, path: str) -> Any:
    """At most 16 pairs, keys up to 64 and values up to 512 characters."""
    if not isinstance(value, dict):
        raise wrong_type(path, "an object", value)
    if len(value) > 16:
        raise Rejected("invalid_value", f"Invalid '{path}': expected at most 16 pairs, got {len(value)}.", path)
    for key, member in value.items():
        short_text(64)(key, path)
        short_text(512)(member, f"{path}.{key}")
    return value


def output_tokens(value: Any, path: str) -> Any:
    return value if value == "inf" else within(1, 32_000, whole=True)(value, path)


VOICE = one_of(*VOICES)
MODALITIES = one_of(["audio"], ["text"])
TRANSCRIPTION = record(
    model=text,
    language=short_text(16),
    languages=array(text),
    prompt=text,
    keywords=array(text),
    delay=one_of("minimal", "low", "medium", "high", "xhigh"),
)
NOISE_REDUCTION = record(type=one_of("near_field", "far_field"), strength=within(0, 10))
SPEED = one_of(1.0, 1)  # others are refused, not ignored, until the voice can do them
TRUNCATION = any_of(
    one_of("auto", "disabled"),
    record(
        ("type", "retention_ratio"),
        type=one_of("retention_ratio"),
        retention_ratio=within(0, 1),
        token_limits=record(post_instructions=within(0, MOST_TOKENS, whole=True)),
    ),
)  # taken and shown: a local conversation never grows so long that it would be cut
TRACING = any_of(one_of(None, "auto"), record(workflow_name=text, group_id=text, metadata=anything))
REASONING = record(effort=one_of("none", "minimal", "low", "medium", "high", "xhigh"))
# Tools on MCP servers are refused: nothing here reaches any.
TOOLS = array(
    record(("type", "name"), type=one_of("function"), name=short_text(128), description=text, parameters=anything)
)
TOOL_CHOICE = any_of(one_of("auto", "none", "required"), record(("type", "name"), type=one_of("function"), name=text))

INPUT = record(
    format=audio_format,
    transcription=nullable(TRANSCRIPTION),
    noise_reduction=nullable(NOISE_REDUCTION),
    turn_detection=turn_detection,
)
INCLUDE = nullable(array(one_of("item.input_audio_transcription.logprobs")))

SESSION = record(
    ("type",),
    type=one_of("realtime", "transcription"),
    model=text,
    instructions=text,
    output_modalities=MODALITIES,
    audio=record(
        input=INPUT,
        output=record(format=audio_format, voice=VOICE, speed=SPEED),
    ),
    tools=TOOLS,
    tool_choice=TOOL_CHOICE,
    parallel_tool_calls=one_of(True, False),
    max_output_tokens=output_tokens,
    truncation=TRUNCATION,
    reasoning=nullable(REASONING),
    tracing=TRACING,
    include=INCLUDE,
    prompt=only_null,
)
TRANSCRIBING = record(("type",), type=one_of("transcription"), audio=record(input=INPUT), include=INCLUDE)

RESPONSE = record(
    instructions=text,
    input=array(item_or_reference),
    metadata=nullable(metadata),
    output_modalities=MODALITIES,
    audio=record(output=record(format=audio_format, voice=VOICE)),
    conversation=one_of("auto", "none"),
    max_output_tokens=output_tokens,
    tools=TOOLS,
    tool_choice=TOOL_CHOICE,
    parallel_tool_calls=one_of(True, False),
    reasoning=nullable(REASONING),
    prompt=only_null,
)


def session(value: Any, path: str) -> Any:
    """The settings of a session that answers, or of one that only transcribes."""
    match value:
        case {"type": "transcription"}:
            return TRANSCRIBING(value, path)
        case _:
            return SESSION(value, path)


def _event(required: tuple[str, ...] = (), /, **fields: Check) -> Check:
    return record(required, type=text, event_id=short_text(512), **fields)


CLIENT_EVENTS: dict[str, Check] = {
    "session.update": _event(("session",), session=session),
    "input_audio_buffer.append": _event(("audio",), audio=short_text(LONGEST_APPEND)),
    "input_audio_buffer.commit": _event(),
    "input_audio_buffer.clear": _event(),
    "conversation.item.create": _event(("item",), item=item, previous_item_id=nullable(text)),
    "conversation.item.truncate": _event(
        ("item_id", "content_index", "audio_end_ms"),
        item_id=text,
        content_index=within(0, 0, whole=True),
        audio_end_ms=within(0, LONGEST_LIFE * 1000, whole=True),
    ),
    "conversation.item.delete": _event(("item_id",), item_id=text),
    "conversation.item.retrieve": _event(("item_id",), item_id=text),
    "response.create": _event(response=RESPONSE),
    "response.cancel": _event(response_id=text),
}


def check(event: Event) -> Event:
    """The event without nulls that say nothing.

    Raises Rejected unless it is a client event of the GA protocol, whole and with nothing unknown in it.
    """
    if "type" not in event:
        raise missing("type")
    kind = event["type"]
    if not isinstance(kind, str) or kind not in CLIENT_EVENTS:
        raise wrong_value("type", kind, tuple(CLIENT_EVENTS))
    read: Event = CLIENT_EVENTS[kind](event, "")
    return read


def initial(session_id: str, model: str, expires_at: int, kind: str = "realtime") -> Event:
    """What a session is before its first update; it `expires_at` so many seconds since 1970.

    Of the `kind` "transcription" it transcribes and never answers: `model` is then what it transcribes with.
    """
    transcription = {"model": model or TRANSCRIBER} if kind == "transcription" else None
    return {
        "type": kind,
        "object": "realtime.session",
        "id": session_id,
        "model": model,
        "instructions": "You are a friendly voice on the phone. Answer briefly and honestly.",
        "output_modalities": ["audio"],
        "audio": {
            "input": {
                "format": PCM,
                "transcription": transcription,
                "noise_reduction": None,
                "turn_detection": filled({}),
            },
            "output": {"format": PCM, "voice": "marin", "speed": 1.0},
        },
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "truncation": "auto",
        "tracing": None,
        "prompt": None,
        "include": None,
        "expires_at": expires_at,
    }


def shown(settings: Event) -> Event:
    """The settings as the wire shows them: of a session that only transcribes, those of its input."""
    if settings["type"] == "realtime":
        return settings
    named = {name: settings[name] for name in ("type", "id", "expires_at", "include")}
    audio = {"input": settings["audio"]["input"]}
    return {**named, "object": "realtime.transcription_session", "audio": audio}


def updated(current: Event, change: Event, *, voice_locked: bool) -> Event:
    """The settings after a checked update: only present fields change, and all of them or none.

    Raises Rejected for another type or model, and for another voice once assistant audio exists.
    """
    if change["type"] != current["type"]:
        raise wrong_value("session.type", change["type"], (current["type"],))
    if change.get("model", current["model"]) != current["model"]:
        raise wrong_value("session.model", change["model"], (current["model"],))
    check_voice(current, change, voice_locked=voice_locked, path="session.audio.output.voice")
    after = copy.deepcopy(current)
    audio = change.get("audio", {})
    after.update({name: value for name, value in change.items() if name != "audio"})
    for side in ("input", "output"):
        after["audio"][side].update(copy.deepcopy(audio.get(side, {})))
        after["audio"][side]["format"] = whole(after["audio"][side]["format"])
    if wanted := audio.get("input", {}).get("turn_detection"):
        after["audio"]["input"]["turn_detection"] = filled(wanted)
    return after


def check_voice(current: Event, change: Event, *, voice_locked: bool, path: str) -> None:
    """Raise Rejected for another voice than the session's once it has been heard."""
    voice = current["audio"]["output"]["voice"]
    wanted = change.get("audio", {}).get("output", {}).get("voice", voice)
    if voice_locked and wanted != voice:
        message = "Cannot update a conversation's voice if assistant audio is present."
        raise Rejected("cannot_update_voice", message, path)
