"""The shape of a value: a JSON Schema that says yes in microseconds, and explains a no in sentences.

jsonschema_rs says yes or no; jsonschema, whose errors tell all, is asked only after a no (docs/decisions/0020).
"""

import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
from jsonschema import Draft202012Validator
from referencing import Registry

from personas.check import Fault, Parts, nearest, path_of, unknown

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
        found = [
            Fault(path_of((*at, *error.absolute_path, *more)), message)
            for error in self._explained.iter_errors(value)
            for more, message in _sentences(error)
        ]
        return list(dict.fromkeys(found))  # jsonschema tells one error for each missing field; each tells them all

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


def _sentences(error: Any) -> Iterator[tuple[Parts, str]]:
    match error.validator:
        case "required":
            for name in error.validator_value:
                if name not in error.instance:
                    hint = error.schema.get("properties", {}).get(name, {}).get("description", "Add it.")
                    yield (name,), f"is missing. {hint}"
        case "additionalProperties" if error.validator_value is False:
            known = error.schema.get("properties", {})
            for name in error.instance:
                if name not in known:
                    yield (name,), unknown(name, known)
        case keyword:
            yield (), _SAY.get(keyword, lambda error: f"does not fit: {error.message}.")(error)


def _wrong_choice(error: Any) -> str:
    choices = [choice if isinstance(choice, str) else json.dumps(choice) for choice in error.validator_value]
    given = error.instance if isinstance(error.instance, str) else json.dumps(error.instance)
    return f"must be one of {', '.join(choices)}, not '{given[:60]}'.{nearest(given[:60], choices)}"


def _too_short(error: Any) -> str:
    if not error.instance:
        return f"is empty. {error.schema.get('description', 'Fill it, or take it out.')}"
    return f"is too short: {len(error.instance)}, at least {error.validator_value} are needed."


def _too_long(error: Any) -> str:
    return f"is too long: {len(error.instance)}, at most {error.validator_value} are allowed."


_KINDS = {
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
    type(None): "null",
}
_TYPES = {"string": "text", "boolean": "true or false", "number": "a number", "integer": "a whole number"}
_TYPES |= {"array": "a list", "object": "an object"}

_SAY: dict[str, Callable[[Any], str]] = {
    "type": lambda e: f"must be {_TYPES[e.validator_value]}, not {_KINDS[type(e.instance)]}.",
    "enum": _wrong_choice,
    "const": lambda e: f"must be {json.dumps(e.validator_value, ensure_ascii=False)}.",
    "minLength": _too_short,
    "minItems": _too_short,
    "maxLength": _too_long,
    "maxItems": _too_long,
    "pattern": lambda e: f"does not fit: '{e.instance[:70]}'. {e.schema.get('description', '')}".rstrip(),
    "minimum": lambda e: f"is {e.instance}; at least {e.validator_value} is needed.",
    "maximum": lambda e: f"is {e.instance}; at most {e.validator_value} is allowed.",
    "uniqueItems": lambda e: "names something twice; name each once.",
}
