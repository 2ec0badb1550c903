"""The fields of an event from the upstream, each read as what the API says it is. Null counts as missing."""

from typing import Any, TypeAlias

Fields: TypeAlias = dict[str, Any]

LARGEST = 2.0**53  # what a number in JSON can say to the unit; nothing in the API comes near it


class Malformed(Exception):
    """A frame is not what the API says, and nothing in it counts."""


def text(of: Fields, name: str) -> str:
    """A string that must be there."""
    value = of.get(name)
    if type(value) is not str:
        raise Malformed(name)
    return value


def text_if_any(of: Fields, name: str) -> str:
    """A string, or an empty one."""
    value = of.get(name)
    if value is None:
        return ""
    if type(value) is not str:
        raise Malformed(name)
    return value


def number(of: Fields, name: str) -> float:
    """A number that must be there."""
    value = of.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST:
        return float(value)
    raise Malformed(name)


def number_if_any(of: Fields, name: str) -> float:
    """A number, or 0."""
    return 0.0 if of.get(name) is None else number(of, name)


def part(of: Fields, name: str) -> Fields:
    """An object that must be there."""
    value = of.get(name)
    if type(value) is not dict:
        raise Malformed(name)
    return value


def part_if_any(of: Fields, name: str) -> Fields:
    """An object, or an empty one."""
    return {} if of.get(name) is None else part(of, name)


def parts(of: Fields, name: str) -> list[Fields]:
    """A list of objects that must be there."""
    value = of.get(name)
    if type(value) is not list or not all(type(each) is dict for each in value):
        raise Malformed(name)
    return value


def parts_if_any(of: Fields, name: str) -> list[Fields]:
    """A list of objects, or an empty one."""
    return [] if of.get(name) is None else parts(of, name)
