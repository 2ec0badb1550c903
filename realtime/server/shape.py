"""Strict shapes: what a client may send, key by key, refused in the words of the real API.

A `Check` looks at one value at one path and raises `Rejected`, or returns the value as it is to be read: the same,
but for the nulls in it that say nothing. Null stands for "not given" wherever a field may be left out and null is no
value of it, for SDKs write what their callers left open as null.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import orjson

from schemas import Refused

Check: TypeAlias = Callable[[Any, str], Any]

DEEPEST = 64  # levels; a serialiser follows about 250
LONGEST_SHOWN = 100  # characters of a value that an error repeats
NAMES = {str: "a string", bool: "a boolean", int: "an integer", float: "a decimal", list: "an array", dict: "an object"}


class Rejected(Refused):
    """A client event that is not obeyed; `param` is the path of what is wrong, where there is one."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(code, message)
        self.param = param


def record(required: Sequence[str] = (), /, **fields: Check) -> Check:
    """An object of these fields and no others; a field is optional unless it is named in `required`."""

    def check(value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise wrong_type(path, "an object", value)
        given: dict[str, Any] = {}
        for name, member in value.items():
            if name not in fields:
                raise unknown(join(path, name))
            try:
                given[name] = fields[name](member, join(path, name))
            except Rejected:
                if member is not None or name in required:
                    raise
        for name in required:
            if name not in given:
                raise missing(join(path, name))
        return given

    return check


def array(member: Check) -> Check:
    """A list whose every member passes."""

    def check(value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise wrong_type(path, "an array", value)
        return [member(each, f"{path}[{index}]") for index, each in enumerate(value)]

    return check


def nullable(inner: Check) -> Check:
    """Null, or what `inner` lets pass."""

    def check(value: Any, path: str) -> Any:
        return None if value is None else inner(value, path)

    return check


def one_of(*allowed: Any) -> Check:
    """Exactly one of these values."""

    def check(value: Any, path: str) -> Any:
        # True equals 1 in Python, and on no wire.
        if not any(type(value) is type(each) and value == each for each in allowed):
            raise wrong_value(path, value, allowed)
        return value

    return check


def any_of(simple: Check, larger: Check) -> Check:
    """What either lets pass: an object by `larger`, anything else by `simple`."""

    def check(value: Any, path: str) -> Any:
        return (larger if isinstance(value, dict) else simple)(value, path)

    return check


def within(least: float, most: float, *, whole: bool = False) -> Check:
    """A number from `least` to `most`, both included."""
    kinds = (int,) if whole else (int, float)

    def check(value: Any, path: str) -> Any:
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise wrong_type(path, "an integer" if whole else "a number", value)
        if not least <= value <= most:
            message = f"Invalid value for '{path}': expected {least} to {most}, but got {value} instead."
            raise Rejected("invalid_value", message, path)
        return value

    return check


def text(value: Any, path: str) -> str:
    """Any string."""
    if not isinstance(value, str):
        raise wrong_type(path, "a string", value)
    return value


def short_text(longest: int) -> Check:
    """A string of at most `longest` characters."""

    def check(value: Any, path: str) -> str:
        if len(text(value, path)) > longest:
            message = f"Invalid '{path}': string too long. Expected at most {longest} characters."
            raise Rejected("string_above_max_length", message, path)
        return str(value)

    return check


def anything(value: Any, path: str) -> Any:
    """What is taken as it is, because nothing here depends on it; only not so deep that it cannot be sent back."""
    level, depth = [value], 0
    while level:
        if depth > DEEPEST:
            raise Rejected("invalid_value", f"Invalid '{path}': nested more than {DEEPEST} deep.", path)
        inner = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list))
        level, depth = [member for members in inner for member in members], depth + 1
    return value


def join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def unknown(path: str) -> Rejected:
    return Rejected("unknown_parameter", f"Unknown parameter: '{path}'.", path)


def missing(path: str) -> Rejected:
    return Rejected("missing_required_parameter", f"Missing required parameter: '{path}'.", path)


def wrong_type(path: str, expected: str, value: Any) -> Rejected:
    got = NAMES.get(type(value), "null")
    message = f"Invalid type for '{path}': expected {expected}, but got {got} instead."
    return Rejected("invalid_type", message, path)


def wrong_value(path: str, value: Any, allowed: Sequence[Any]) -> Rejected:
    named = ", ".join(map(shown, allowed))
    return Rejected("invalid_value", f"Invalid value: {shown(value)}. Supported values are: {named}.", path)


def shown(value: Any) -> str:
    """A value as an error of the real API shows it: as JSON, but for the quotes of a string."""
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= LONGEST_SHOWN else f"'{value[:LONGEST_SHOWN]}...'"
    try:
        text = orjson.dumps(value).decode()
    except TypeError:  # too deep for a serialiser
        return NAMES.get(type(value), "a value")
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
