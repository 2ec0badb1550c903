"""The value of a field: the texts in it, whether it fits what is declared of a feature, and what it makes that do."""

import functools
from collections.abc import Iterator
from itertools import islice
from typing import Any

from personas.behaviour import READERS
from personas.loading.check import Fault, Unusable, text_fault, texts_in
from personas.loading.features import Feature
from personas.loading.file import shipped_rest
from personas.loading.shape import Shape, shape_of
from schemas.explain import Parts, path_of

_MOST_TEXTS = 100  # of one value that are told
# What else is wrong with a value can be told when these are missing, or are not what they must be.
_STAND_INS = {"timezone": "UTC", "per_minute": 0}


def unsayable(value: object, at: Parts, *, multiline: bool) -> Iterator[Fault]:
    """The texts in a value that cannot stand in a prompt."""
    found = (
        Fault(path_of(way), fault)
        for way, text in texts_in(value, at)
        if (fault := text_fault(text, multiline=multiline))
    )
    return islice(found, _MOST_TEXTS)


def read_value(feature: Feature, value: object, at: Parts) -> tuple[object, list[Fault]]:
    """What the value makes the feature do, None if it is one that does nothing; and all that is wrong with it."""
    secret = not feature.public
    found = feature.shape.faults(value, at, secret=secret)
    found += unsayable(value, at, multiline=feature.multiline)
    if feature.name not in READERS:
        return None, found
    found += _shipped_shape(feature.name).faults(value, at, secret=secret)
    read, more = _acted(feature.name, _sound_part(feature.name, value, at, found) if found else value, at)
    if found:  # what is missing from the sound part is told already
        more = [fault for fault in more if fault.path != path_of(at)]
    if secret:
        hint = f"cannot be used. docs/personas.md says how to write {feature.name}."
        more = [Fault(fault.path, hint) for fault in more]
    found += more
    return None if found else read, list(dict.fromkeys(found))


def _acted(name: str, value: Any, at: Parts) -> tuple[object, list[Fault]]:
    try:
        return (None if value is None else READERS[name](value)), []
    except Unusable as error:
        return None, [Fault(path_of((*at, *way)), message) for way, message in error.faults]


def _sound_part(name: str, value: object, at: Parts, faults: list[Fault]) -> dict[str, Any] | None:
    """The members that have no fault, when they are enough to be read: what is wrong with them is told at once."""
    if not isinstance(value, dict):
        return None
    needed = shipped_rest()["features"][name]["schema"].get("required", ())
    sound = {key: one for key, one in value.items() if not any(_within(fault.path, (*at, key)) for fault in faults)}
    sound |= {key: _STAND_INS[key] for key in needed if key not in sound and key in _STAND_INS}
    return sound if all(key in sound for key in needed) else None


def _within(path: str, place: Parts) -> bool:
    outer = path_of(place)
    return path == outer or path.startswith((f"{outer}.", f"{outer}["))


@functools.cache
def _shipped_shape(name: str) -> Shape:
    """What a feature that does something must fit, however a file declares it."""
    return shape_of(shipped_rest()["features"][name]["schema"])
