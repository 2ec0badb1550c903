"""Frozen dataclasses as plain values for JSON, and back: what a newer neighbour added is kept and written again."""

import types
from collections.abc import Hashable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

OTHER = "other"
"""The field for what this version does not know."""


class Unreadable(Exception):
    """What was kept is no such value; the message names the field and holds nothing that a caller said."""


def plain(value: Any) -> Any:
    """Mappings, tuples, texts and numbers, without the fields that are as by default: a default never changes."""
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if not is_dataclass(value):
        return value
    known = {
        field.name: plain(inner)
        for field in fields(value)
        if field.name != OTHER and not _is_default(field, inner := getattr(value, field.name))
    }
    return {**getattr(value, OTHER, {}), **known}


def known(value: Any) -> Hashable:
    """What this version knows of such a value, to compare it with another one of its kind."""
    if isinstance(value, tuple):
        return tuple(known(one) for one in value)
    if not is_dataclass(value):
        return cast(Hashable, value)
    return tuple(known(getattr(value, field.name)) for field in fields(value) if field.name != OTHER)


def read(kind: type[T], value: Any) -> T:
    """The dataclass of this kind. Raises Unreadable; a field that is missing is as by default, if it has one."""
    if not isinstance(value, dict):
        raise Unreadable(f"{kind.__name__} is no object")
    known: dict[str, Any] = {}
    own = _fields(cast(Hashable, kind))
    for field, type_ in own:
        if field.name in value:
            known[field.name] = _as(type_, value[field.name], f"{kind.__name__}.{field.name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise Unreadable(f"{kind.__name__}.{field.name} is missing")
    names = {field.name for field, _ in own}
    return kind(**known, **{OTHER: {name: inner for name, inner in value.items() if name not in names}})


@cache
def _fields(kind: Any, /) -> tuple[tuple["Field[Any]", Any], ...]:
    hints = get_type_hints(kind)
    return tuple((field, hints[field.name]) for field in fields(kind) if field.name != OTHER)


def _is_default(field: "Field[Any]", value: Any) -> bool:
    made = field.default if field.default_factory is MISSING else field.default_factory()
    return value == made and type(value) is type(made)


def _as(type_: Any, value: Any, name: str) -> Any:
    """The value as one of this type. Raises Unreadable."""
    origin = get_origin(type_)
    if origin in (Union, types.UnionType):  # X | None
        return None if value is None else _as(get_args(type_)[0], value, name)
    if origin is tuple and isinstance(value, list):
        return tuple(_as(get_args(type_)[0], one, name) for one in value)
    if origin is Mapping and isinstance(value, dict):
        return {key: _as(get_args(type_)[1], one, name) for key, one in value.items()}
    if isinstance(type_, type) and is_dataclass(type_):
        return read(type_, value)
    if type_ is float and type(value) is int:
        return float(value)
    if origin is None and type(value) is type_:
        return value
    raise Unreadable(f"{name} is no {type_.__name__ if origin is None else origin.__name__}")
