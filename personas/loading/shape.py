"""The shape of a value: a JSON Schema with two validators, a fast one and one whose errors can be explained.

jsonschema_rs answers yes or no in microseconds. Only after a no, the slower jsonschema finds the errors, which
schemas/explain.py turns into sentences. Source: docs/decisions/0020.
"""

import functools
import json
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend
from referencing import Registry

from personas.loading.faults import Fault, InvalidValue
from schemas.explain import Parts, faults, shown

_SCHEMA_FILE = Path(__file__).parents[2] / "schemas" / "personas.schema.json"
_SCHEMA: dict[str, Any] = json.loads(_SCHEMA_FILE.read_bytes())
# Both validators would fetch an unknown $ref from the network. An empty registry, and `_fetch_nothing`, prevent that.
_NOTHING: Registry[Any] = Registry()

VOICES: tuple[str, ...] = tuple(_SCHEMA["$defs"]["realtime_voice"]["enum"])
SHARED_FIELDS: tuple[str, ...] = tuple(_SCHEMA["$defs"]["catalogue"]["properties"])
PERSONA_FIELDS: tuple[str, ...] = tuple(_SCHEMA["$defs"]["astrologer"]["properties"])


def _unique(_: object, wanted: bool, value: object, __: object) -> Iterator[ValidationError]:
    """`uniqueItems` in linear time: jsonschema compares every pair of objects, 45 s for 4,000 of them."""
    if wanted and isinstance(value, list) and len({_frozen(one) for one in value}) < len(value):
        yield ValidationError("names something twice")


def _frozen(value: object) -> Hashable:
    """A hashable value that is equal for equal JSON: 1 equals 1.0, but 1 does not equal true."""
    match value:
        case bool():
            return ("bool", value)
        case list():
            return tuple(_frozen(one) for one in value)
        case dict():
            return frozenset((name, _frozen(one)) for name, one in value.items())
        case _:
            return value if isinstance(value, Hashable) else id(value)


_Explaining = extend(Draft202012Validator, {"uniqueItems": _unique})


class Shape:
    """One compiled JSON Schema. Raises InvalidValue if it is not a valid schema."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._explained = _Explaining(schema, registry=_NOTHING)
        try:
            self._quick = jsonschema_rs.Draft202012Validator(schema, retriever=_fetch_nothing)
        except jsonschema_rs.ValidationError as error:
            message = f"is not a schema that can be used: {shown(error.message)}."
            raise InvalidValue([(tuple(error.instance_path), message)]) from None

    def faults(self, value: object, at: Parts, *, secret: bool = False) -> list[Fault]:
        """The faults of a value, none if it fits. `at` is its place; with `secret`, no message quotes a part of it."""
        if self.is_valid(value):
            return []
        return [Fault(path, message) for path, message in faults(self._explained, value, at, secret=secret)]

    def is_valid(self, value: object) -> bool:
        """True if a value fits. Takes microseconds."""
        try:
            return self._quick.is_valid(value)
        except ValueError:  # a number that is too large, or too many levels
            return False


def shape_of(schema: dict[str, Any]) -> Shape:
    """The shape of a schema, compiled once and cached for all files that declare the same."""
    return _made(orjson.dumps(schema))


@functools.lru_cache(maxsize=256)
def _made(schema: bytes) -> Shape:
    return Shape(orjson.loads(schema))


def shape_faults(definition: str, value: object, at: Parts) -> list[Fault]:
    """The faults of a value by one of the $defs of personas.schema.json; `at` is its place."""
    return defined_shape(definition).faults(value, at)


@functools.cache
def defined_shape(definition: str) -> Shape:
    """The shape of one of the $defs of personas.schema.json."""
    return Shape({"$defs": _SCHEMA["$defs"], "$ref": f"#/$defs/{definition}"})


def _fetch_nothing(address: str) -> Any:
    raise ValueError(f"{address} is not fetched")
