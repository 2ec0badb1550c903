"""The shape of a value: a JSON Schema that says yes in microseconds, and explains a no in sentences.

jsonschema_rs says yes or no; jsonschema, whose errors tell all, is asked only after a no (docs/decisions/0020).
"""

import functools
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
from jsonschema import Draft202012Validator
from referencing import Registry

from personas.check import Fault
from schemas.sentences import Parts, faults

_SCHEMA_FILE = Path(__file__).parent.parent / "schemas" / "personas.schema.json"
_SCHEMA: dict[str, Any] = json.loads(_SCHEMA_FILE.read_bytes())
# Both would fetch an unknown $ref from the network; an empty registry, and a retriever that refuses, cannot.
_NOTHING: Registry[Any] = Registry()

VOICES: tuple[str, ...] = tuple(_SCHEMA["$defs"]["realtime_voice"]["enum"])
SHARED_FIELDS: frozenset[str] = frozenset(_SCHEMA["$defs"]["catalogue"]["properties"])
PERSONA_FIELDS: tuple[str, ...] = tuple(_SCHEMA["$defs"]["astrologer"]["properties"])


class Shape:
    """One schema; a value that does not fit it has faults."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._explained = Draft202012Validator(schema, registry=_NOTHING)
        self._quick = jsonschema_rs.Draft202012Validator(schema, retriever=_fetch_nothing)

    def faults(self, value: object, at: Parts) -> list[Fault]:
        """Everything that does not fit, each with its path."""
        if self._fits(value):
            return []
        return [Fault(path, message) for path, message in faults(self._explained, value, at)]

    def _fits(self, value: object) -> bool:
        try:
            return self._quick.is_valid(value)
        except ValueError:  # a number or a nest that it does not take
            return False


def shape_of(schema: dict[str, Any]) -> Shape:
    """The shape of a schema; made once for all files that have the same."""
    return _made(orjson.dumps(schema))


@functools.lru_cache(maxsize=256)
def _made(schema: bytes) -> Shape:
    return Shape(orjson.loads(schema))


def shape_faults(definition: str, value: object, at: Parts) -> list[Fault]:
    """Check a value against one of $defs of personas.schema.json."""
    return _ours(definition).faults(value, at)


@functools.cache
def _ours(definition: str) -> Shape:
    return Shape({"$defs": _SCHEMA["$defs"], "$ref": f"#/$defs/{definition}"})


def _fetch_nothing(address: str) -> Any:
    raise ValueError(f"{address} is not fetched")
