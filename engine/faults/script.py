"""A script of faults, read from JSON: for each connection to the engine, in order, a list of faults."""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from typing import Any, Final

import orjson

from engine.faults import faults
from engine.faults.faults import Fault
from realtime.server.settings import CLIENT_EVENTS, LONGEST_LIFE
from schemas.explain import Parts, shape_faults

SERVER_EVENTS: Final = (
    "session.created",
    "session.updated",
    "error",
    "input_audio_buffer.committed",
    "input_audio_buffer.cleared",
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.timeout_triggered",
    "conversation.item.added",
    "conversation.item.done",
    "conversation.item.truncated",
    "conversation.item.deleted",
    "conversation.item.retrieved",
    "conversation.item.input_audio_transcription.delta",
    "conversation.item.input_audio_transcription.completed",
    "conversation.item.input_audio_transcription.failed",
    "response.created",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_audio.delta",
    "response.output_audio_transcript.delta",
    "response.output_text.delta",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.done",
    "rate_limits.updated",
)
CONNECT = ("connect",)
EVENTS = (*SERVER_EVENTS, *CLIENT_EVENTS)
OPEN = ("open", *EVENTS)  # or an age in seconds

KINDS: Final[Mapping[str, tuple[Any, tuple[str, ...]]]] = {
    "refuse": (faults.Refuse, CONNECT),
    "slow": (faults.Wait, CONNECT),
    "abort": (faults.Abort, (*CONNECT, *OPEN)),
    "stall": (faults.Stall, (*CONNECT, *OPEN)),
    "close": (faults.Close, OPEN),
    "expire": (faults.Expire, OPEN),
    "error": (faults.Error, OPEN),
    "fail": (faults.Fail, OPEN),
    "hold": (faults.Wait, OPEN),
    "divide": (faults.Divide, OPEN),
    "unknown": (faults.Unknown, OPEN),
    "garbage": (faults.Garbage, OPEN),
    "late": (faults.Late, OPEN),
    "duplicate": (faults.Duplicate, EVENTS),
    "drop": (faults.Drop, EVENTS),
    "delay": (faults.Delay, SERVER_EVENTS),
    "strip": (faults.Strip, SERVER_EVENTS),
    "huge": (faults.Huge, SERVER_EVENTS),
    "half": (faults.Half, SERVER_EVENTS),
    "binary": (faults.Binary, SERVER_EVENTS),
}
"""Name in the script (`do`) -> the kind of fault, and the triggers that it allows."""

TYPES: Final[Mapping[Any, Mapping[str, Any]]] = {
    float: {"type": "number", "minimum": 0, "maximum": LONGEST_LIFE},
    int: {"type": "integer", "minimum": 4, "maximum": 2**28},
    bool: {"type": "boolean"},
    str: {"type": "string", "maxLength": 120},
}
NARROWER: Final[Mapping[str, Mapping[str, Any]]] = {
    "status": {"type": "integer", "minimum": 300, "maximum": 599},
    "code": {
        "type": "integer",
        "minimum": 1000,
        "maximum": 4999,
        "not": {"enum": [1004, 1005, 1006, 1015]},
        "description": "No close frame has this code; after an abort the client sees 1006.",
    },
}
SCRIPT: Final = {
    "type": "object",
    "required": ["connections"],
    "additionalProperties": False,
    "properties": {
        "connections": {
            "description": "For each connection in turn a list of faults; [] for one that behaves.",
            "type": "array",
            "items": {"type": "array", "items": {"type": "object"}},
        },
        "repeat": {"type": "boolean"},
    },
}


class ScriptBroken(Exception):
    """The script is invalid. `faults` are lines that say where the fault is, what is wrong, what to write instead."""

    def __init__(self, found: Iterable[tuple[str, str]]) -> None:
        self.faults = tuple(f"{path}: {message}" for path, message in found)
        super().__init__("\n".join(self.faults))


@dataclass(frozen=True, slots=True)
class Script:
    """The faults of each connection, in order. Later connections have none, or with `repeat` it starts again."""

    connections: tuple[tuple[Fault, ...], ...] = ()
    repeat: bool = False

    def faults(self, number: int) -> tuple[Fault, ...]:
        """The faults of a connection, counted from 0."""
        if self.repeat and self.connections:
            return self.connections[number % len(self.connections)]
        return self.connections[number] if number < len(self.connections) else ()


def load(path: Path) -> Script:
    """Read a script from a file. Raises ScriptBroken with all its faults."""
    try:
        return read(orjson.loads(path.read_bytes()))
    except OSError as error:
        raise ScriptBroken([("$", f"cannot read {path}: {error.strerror}.")]) from None
    except orjson.JSONDecodeError as error:
        raise ScriptBroken([("$", f"is not JSON: {error}.")]) from None


def read(data: Any) -> Script:
    """Read a script from decoded JSON. Raises ScriptBroken."""
    if wrong := shape_faults(SCRIPT, data):
        raise ScriptBroken(wrong)
    rows = [(("connections", n, m), row) for n, each in enumerate(data["connections"]) for m, row in enumerate(each)]
    if wrong := [found for at, row in rows for found in _wrong(row, at)]:
        raise ScriptBroken(wrong)
    connections = tuple(tuple(map(_fault, each)) for each in data["connections"])
    return Script(connections, data.get("repeat", False))


def _fault(row: dict[str, Any]) -> Fault:
    parameters = {name: value for name, value in row.items() if name not in ("on", "nth", "do")}
    return Fault(KINDS[row["do"]][0](**parameters), row["on"], row.get("nth", 1))


def _wrong(row: dict[str, Any], at: Parts) -> list[tuple[str, str]]:
    do = row.get("do")
    if not isinstance(do, str) or do not in KINDS:
        return shape_faults({"required": ["do"], "properties": {"do": {"enum": list(KINDS)}}}, row, at)
    return shape_faults(_schema(do), row, at)


def _schema(do: str) -> dict[str, Any]:
    """The JSON Schema of a fault of this kind, made from the fields of its dataclass."""
    kind, moments = KINDS[do]
    needed = [field.name for field in fields(kind) if field.default is MISSING]
    ages = {"then": {"enum": list(moments)}, "else": TYPES[float]} if "open" in moments else {"enum": list(moments)}
    own: dict[str, Any] = {
        "on": {"if": {"type": "string"}, **ages},
        "nth": {"type": "integer", "minimum": 1},
        "do": {},
    }
    return {
        "required": ["on", *needed],
        "additionalProperties": False,
        "properties": own | {field.name: _parameter(field, do) for field in fields(kind)},
    }


def _parameter(field: Field[Any], do: str) -> Mapping[str, Any]:
    return TYPES[field.type] if do in ("error", "fail") else NARROWER.get(field.name, TYPES[field.type])
