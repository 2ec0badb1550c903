"""Strict shapes: what a client may send, key by key, refused in the words of the real API.

A `Check` looks at one value at one path and raises `Rejected`, or returns nothing.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from schemas import Refused

Check: TypeAlias = Callable[[Any, str], None]

DEEPEST = 64  # levels; a serialiser follows about 250
NAMES = {str: "a string", bool: "a boolean", int: "an integer", float: "a decimal", list: "an array", dict: "an object"}


class Rejected(Refused):
    """A client event that is not obeyed; `param` is the path of what is wrong, where there is one."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(code, message)
        self.param = param


def record(required: Sequence[str] = (), /, **fields: Check) -> Check:
    """An object of these fields and no others; a field is optional unless it is named in `required`."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise wrong_type(path, "an object", value)
        for name, member in value.items():
            if name not in fields:
                raise unknown(join(path, name))
            fields[name](member, join(path, name))
        for name in required:
            if name not in value:
                raise missing(join(path, name))

    return check


def array(member: Check) -> Check:
    """A list whose every member passes."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise wrong_type(path, "an array", value)
        for index, each in enumerate(value):
            member(each, f"{path}[{index}]")

    return check


def nullable(inner: Check) -> Check:
    """Null, or what `inner` lets pass."""

    def check(value: Any, path: str) -> None:
        if value is not None:
            inner(value, path)

    return check


def one_of(*allowed: Any) -> Check:
    """Exactly one of these values."""

    def check(value: Any, path: str) -> None:
        # True equals 1 in Python, and on no wire.
        if not any(type(value) is type(each) and value == each for each in allowed):
            raise wrong_value(path, value, allowed)

    return check


def any_of(simple: Check, larger: Check) -> Check:
    """What either lets pass: an object by `larger`, anything else by `simple`."""

    def check(value: Any, path: str) -> None:
        (larger if isinstance(value, dict) else simple)(value, path)

    return check


def within(least: float, most: float, *, whole: bool = False) -> Check:
    """A number from `least` to `most`, both included."""
    kinds = (int,) if whole else (int, float)

    def check(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise wrong_type(path, "an integer" if whole else "a number", value)
        if not least <= value <= most:
            message = f"Invalid value for '{path}': expected {least} to {most}, but got {value} instead."
            raise Rejected("invalid_value", message, path)

    return check


def text(value: Any, path: str) -> None:
    """Any string."""
    if not isinstance(value, str):
        raise wrong_type(path, "a string", value)


def short_text(longest: int) -> Check:
    """A string of at most `longest` characters."""

    def check(value: Any, path: str) -> None:
        text(value, path)
        if len(value) > longest:
            message = f"Invalid '{path}': string too long. Expected at most {longest} characters."
            raise Rejected("string_above_max_length", message, path)

    return check


def anything(value: Any, path: str) -> None:
    """What is taken as it is, because nothing here depends on it; only not so deep that it cannot be sent back."""
    level, depth = [value], 0
    while level:
        if depth > DEEPEST:
            raise Rejected("invalid_value", f"Invalid '{path}': nested more than {DEEPEST} deep.", path)
        inner = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list))
        level, depth = [member for members in inner for member in members], depth + 1


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
    named = ", ".join(repr(each) for each in allowed)
    return Rejected("invalid_value", f"Invalid value: {value!r}. Supported values are: {named}.", path)
