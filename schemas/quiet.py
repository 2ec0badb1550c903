"""jsonschema's validator, but what does not fit is not written out: of 64 KB that takes 4 ms of the loop.

Its errors are without a message, as explain.py makes its own. It is for schemas of ours, whose `type` is one name and
whose `enum` is of texts.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend


def _type(validator: Any, kind: str, value: object, _: object) -> Iterator[ValidationError]:
    if not validator.is_type(value, kind):
        yield ValidationError("")


def _enum(_: object, choices: Sequence[str], value: object, __: object) -> Iterator[ValidationError]:
    if value not in choices:
        yield ValidationError("")


def _any_of(validator: Any, ways: Sequence[Mapping[str, Any]], value: object, _: object) -> Iterator[ValidationError]:
    if not any(validator.evolve(schema=way).is_valid(value) for way in ways):
        yield ValidationError("")


Quiet: type[Draft202012Validator] = extend(Draft202012Validator, {"type": _type, "enum": _enum, "anyOf": _any_of})
