"""Reads the value of a feature: checks its texts and its shape, and parses it if the feature has a behaviour."""

import functools
from collections.abc import Iterator
from itertools import islice
from typing import Any

from personas.behaviour import PARSERS
from personas.loading.faults import Fault, InvalidValue, text_fault, texts_in
from personas.loading.features import Feature
from personas.loading.file import shipped_rest
from personas.loading.shape import Shape, shape_of
from schemas.explain import Parts, path_of

_MOST_TEXTS = 100  # faulty texts of one value that are reported
# Used for a member that is missing or faulty, so that the faults of the other members can be found nevertheless.
_DEFAULTS = {"timezone": "UTC", "per_minute": 0}


def text_faults(value: object, at: Parts, *, multiline: bool) -> Iterator[Fault]:
    """The texts in a value that may not stand in a prompt; `at` is the place of the value."""
    found = (
        Fault(path_of(path), fault)
        for path, text in texts_in(value, at)
        if (fault := text_fault(text, multiline=multiline))
    )
    return islice(found, _MOST_TEXTS)


def read_value(feature: Feature, value: object, at: Parts) -> tuple[object, list[Fault]]:
    """Check the value of a feature and parse it, by `behaviour.PARSERS`. Returns the parsed value and all faults.

    The parsed value is None if the feature has no behaviour, or the value has faults. If the feature is not public,
    no fault quotes the value.
    """
    secret = not feature.public
    found = feature.shape.faults(value, at, secret=secret)
    found += text_faults(value, at, multiline=feature.multiline)
    if feature.name not in PARSERS:
        return None, found
    found += _shipped_shape(feature.name).faults(value, at, secret=secret)
    read, more = _parse(feature.name, _valid_part(feature.name, value, at, found) if found else value, at)
    if found:  # faults of the value as a whole may come from the members that were left out
        more = [fault for fault in more if fault.path != path_of(at)]
    if secret:
        hint = f"cannot be used. docs/personas.md says how to write {feature.name}."
        more = [Fault(fault.path, hint) for fault in more]
    found += more
    return None if found else read, list(dict.fromkeys(found))


def _parse(name: str, value: Any, at: Parts) -> tuple[object, list[Fault]]:
    try:
        return (None if value is None else PARSERS[name](value)), []
    except InvalidValue as error:
        return None, [Fault(path_of((*at, *path)), message) for path, message in error.faults]


def _valid_part(name: str, value: object, at: Parts, faults: list[Fault]) -> dict[str, Any] | None:
    """The members that have no fault, if they are enough to be parsed: so their further faults are found in one go."""
    if not isinstance(value, dict):
        return None
    needed = shipped_rest()["features"][name]["schema"].get("required", ())
    valid = {key: one for key, one in value.items() if not any(_within(fault.path, (*at, key)) for fault in faults)}
    valid |= {key: _DEFAULTS[key] for key in needed if key not in valid and key in _DEFAULTS}
    return valid if all(key in valid for key in needed) else None


def _within(path: str, place: Parts) -> bool:
    outer = path_of(place)
    return path == outer or path.startswith((f"{outer}.", f"{outer}["))


@functools.cache
def _shipped_shape(name: str) -> Shape:
    """The shape that the value of a feature with a behaviour must have, whatever shape the file declares for it."""
    return shape_of(shipped_rest()["features"][name]["schema"])
