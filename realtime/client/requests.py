"""The client events that we send, without their ids: pure functions."""

from typing import Any, Literal

import orjson
from pybase64 import b64encode

from realtime.contract import GO_ON, SAY_EXACTLY
from upstream.facts import BYTES_PER_MS, Role, Setup

ClientEvent = dict[str, Any]

APPEND_BYTES = 400 * BYTES_PER_MS  # of a clip; so many of them as go out at once are encoded in a millisecond
APPEND = b'{"type":"input_audio_buffer.append","audio":"%b"}'  # 50 times a second, and base64 needs no escaping
REPLY_TOKENS = 2048  # bounds a reply to about 100 s of audio, at 20 tokens a second
WORD_TOKENS = 16

TRANSCRIBER = "gpt-transcribe"

VAD = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "create_response": True,
    "interrupt_response": True,
}


def session_update(setup: Setup) -> ClientEvent:
    """A session.update of everything: the session as it is to be."""
    pcm = {"type": "audio/pcm", "rate": 24000}
    heard = {"model": TRANSCRIBER, "language": setup.language}
    session = {
        "type": "realtime",
        "instructions": setup.instructions,
        "output_modalities": ["audio"],
        "audio": {
            "input": {"format": pcm, "transcription": heard, "turn_detection": VAD if setup.listens else None},
            "output": {"format": pcm, "voice": setup.voice},
        },
        "max_output_tokens": REPLY_TOKENS,
    }
    return {"type": "session.update", "session": session}


def instruction(text: str) -> ClientEvent:
    """A session.update of the instructions alone: what an update leaves out stays as it is."""
    return {"type": "session.update", "session": {"type": "realtime", "instructions": text}}


def append(pcm: bytes | bytearray) -> bytes:
    """An input_audio_buffer.append of a stream, as the frame itself."""
    return APPEND % b64encode(pcm)


def written(event: ClientEvent) -> bytes:
    """The frame of an event; a view of audio in it is written in base64."""
    return orjson.dumps(event, default=_base64)


def _base64(pcm: memoryview) -> str:
    return b64encode(pcm).decode()


def clip(pcm: bytes) -> list[ClientEvent]:
    """The events of a clip: appends of its pieces, which are views of it until they are written, then a commit."""
    whole = memoryview(pcm)
    pieces = (whole[at : at + APPEND_BYTES] for at in range(0, len(pcm), APPEND_BYTES))
    appends = [{"type": "input_audio_buffer.append", "audio": piece} for piece in pieces]
    return [*appends, {"type": "input_audio_buffer.commit"}]


def message(role: Role | Literal["system"], text: str) -> ClientEvent:
    """A conversation.item.create of a turn in words."""
    kind = "output_text" if role == "assistant" else "input_text"
    content = [{"type": kind, "text": text}]
    return {"type": "conversation.item.create", "item": {"type": "message", "role": role, "content": content}}


def exactly(setup: Setup, words: str) -> ClientEvent:
    """A response of exactly these words. Its instructions replace the session's, so the persona stands in front."""
    return {"instructions": f"{setup.instructions}\n\n{SAY_EXACTLY}\n{words}", "input": [], "tool_choice": "none"}


def the_rest(setup: Setup) -> ClientEvent:
    """A response that goes on with the assistant's last turn."""
    return {"instructions": f"{setup.instructions}\n\n{GO_ON}", "tool_choice": "none"}


def one_word(setup: Setup) -> ClientEvent:
    """A response of one word in writing. If the model thinks aloud first it is cut short, which is as good."""
    return {**exactly(setup, "Yes."), "output_modalities": ["text"], "max_output_tokens": WORD_TOKENS}
