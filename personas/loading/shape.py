"""The shape of a value: a JSON Schema that says yes in microseconds, and explains a no in sentences.

jsonschema_rs says yes or no; jsonschema, whose errors tell all, is asked only after a no (docs/decisions/0020).
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

from personas.loading.check import Fault, Unusable
from schemas.explain import Parts, faults, shown

_SCHEMA_FILE = Path(__file__).parents[2] / "schemas" / "personas.schema.json"
_SCHEMA: dict[str, Any] = json.loads(_SCHEMA_FILE.read_bytes())
# Both would fetch an unknown $ref from the network; an empty registry, and a retriever that refuses, cannot.
_NOTHING: Registry[Any] = Registry()

VOICES: tuple[str, ...] = tuple(_SCHEMA["$defs"]["realtime_voice"]["enum"])
SHARED_FIELDS: tuple[str, ...] = tuple(_SCHEMA["$defs"]["catalogue"]["properties"])
PERSONA_FIELDS: tuple[str, ...] = tuple(_SCHEMA["$defs"]["astrologer"]["properties"])


def _unique(_: object, wanted: bool, value: object, __: object) -> Iterator[ValidationError]:
    """In linear time: jsonschema compares each object with each other, 45 s for 4,000 of them."""
    if wanted and isinstance(value, list) and len({_frozen(one) for one in value}) < len(value):
        yield ValidationError("names something twice")


def _frozen(value: object) -> Hashable:
    """Equal for what is the same in JSON: 1 and 1.0 are, 1 and true are not."""
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
    """One schema; a value that does not fit it has faults. Raises Unusable when it is no schema."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._explained = _Explaining(schema, registry=_NOTHING)
        try:
            self._quick = jsonschema_rs.Draft202012Validator(schema, retriever=_fetch_nothing)
        except jsonschema_rs.ValidationError as error:
            message = f"is not a schema that can be used: {shown(error.message)}."
            raise Unusable([(tuple(error.instance_path), message)]) from None

    def faults(self, value: object, at: Parts, *, secret: bool = False) -> list[Fault]:
        """What does not fit, each with its path; of a secret value no message repeats a part."""
        if self.fits(value):
            return []
        return [Fault(path, message) for path, message in faults(self._explained, value, at, secret=secret)]

    def fits(self, value: object) -> bool:
        """Only whether it does, which is quick to say."""
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
    return our_shape(definition).faults(value, at)


@functools.cache
def our_shape(definition: str) -> Shape:
    """The shape of one of $defs of personas.schema.json."""
    return Shape({"$defs": _SCHEMA["$defs"], "$ref": f"#/$defs/{definition}"})


def _fetch_nothing(address: str) -> Any:
    raise ValueError(f"{address} is not fetched")
