"""Hypothesis strategies read from the schemas themselves: values that fit, and values with one thing wrong."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from personas.file import shipped_rest
from personas.shape import PERSONA_FIELDS
from schemas import read
from schemas.sentences import path_of

SCHEMA = read("personas")["$defs"]["astrologer"]
FEATURES: dict[str, Any] = {name: feature["schema"] for name, feature in shipped_rest()["features"].items()}
LETTERS = st.sampled_from("abcdefghijklm nopqrstuvwxyz")
# What a schema cannot say, or what must go together.
REAL = {
    "astrologer_id": st.from_regex(r"[a-z0-9_]{1,64}", fullmatch=True),
    "language": st.just("English"),
    "gender": st.just("Other"),
    "voice_id": st.sampled_from(["nova", "onyx", "alloy", "sage"]),
    "timezone": st.sampled_from(["Asia/Kolkata", "Europe/Berlin", "UTC"]),
    "hours": st.sampled_from(["always", "9am-9pm", "21:00-02:00"]),
    "weekly": st.nothing(),
    "days": st.lists(st.sampled_from(["Mon", "Tue", "Sun"]), min_size=1, unique=True),
    "closed": st.lists(st.dates().map(str), max_size=3, unique=True),
    "currency": st.sampled_from(["INR", "JPY", "KWD"]),
    "per_minute": st.integers(0, 100000),
}


def fitting(schema: dict[str, Any], name: str = "") -> st.SearchStrategy[Any]:
    """Values of a schema, or of the field of this name where that says more."""
    if name in REAL:
        return REAL[name]
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "string":
            longest = min(schema.get("maxLength", 40), 40)
            return st.text(LETTERS, min_size=1, max_size=longest).map(lambda text: f"x{text}"[:longest].strip())
        case "integer":
            return st.integers(schema.get("minimum", 0), schema.get("maximum", 1000))
        case "boolean":
            return st.booleans()
        case "array":
            inner = fitting(schema["items"])
            most = min(schema.get("maxItems", 5), 5)
            return st.lists(inner, min_size=schema.get("minItems", 0), max_size=most, unique=True)
        case _:
            return objects(schema)


def objects(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Every required field, and any of the others; availability always has its hours."""
    fields = {name: fitting(inner, name) for name, inner in schema["properties"].items() if name != "weekly"}
    needed = {*schema.get("required", ()), *(["hours"] if "hours" in fields else [])}
    return st.fixed_dictionaries(
        {name: fields[name] for name in fields if name in needed},
        optional={name: fields[name] for name in fields if name not in needed},
    )


def rows() -> st.SearchStrategy[dict[str, Any]]:
    """Whole astrologers, with any of the features that ship."""
    fields = {name: resolved(name) for name in PERSONA_FIELDS}
    return st.fixed_dictionaries(
        {name: fields[name] for name in SCHEMA["required"]},
        optional={name: fields[name] for name in fields if name not in SCHEMA["required"]}
        | {name: fitting(schema) for name, schema in FEATURES.items()},
    )


def resolved(name: str) -> st.SearchStrategy[Any]:
    return REAL[name] if name in REAL else fitting(SCHEMA["properties"][name])


def spoiled(row: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The row with one thing wrong, in every way that its schemas know, and the path where that must be told."""
    for name in SCHEMA["required"]:
        yield path_of((0, name)), {key: value for key, value in row.items() if key != name}
    yield path_of((0, "unheard_of")), {**row, "unheard_of": 1}
    for name, sound in row.items():
        schema = FEATURES.get(name) or SCHEMA["properties"][name]
        for way, value in wrong(schema, sound):
            changed = copy.deepcopy(row)
            changed[name] = value
            yield path_of((0, name, *way)), changed


def wrong(schema: dict[str, Any], value: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """One thing wrong in a value, with the way to it."""
    yield (), None
    yield (), [[]] if not isinstance(value, list) else {}
    if isinstance(value, str):
        yield from (((), bad) for bad in ("", "x" * 20_001, "two\x00", "hid\u202eden"))
    if isinstance(value, list) and value:
        yield (), []
        yield (0,), [7, *value[1:]]
    if isinstance(value, dict):
        yield ("unheard_of",), {**value, "unheard_of": 1}
        for name in schema.get("required", ()):
            yield (name,), {key: inner for key, inner in value.items() if key != name}
        for name, inner in value.items():
            for way, bad in wrong(schema["properties"][name], inner):
                yield (name, *way), {**value, name: bad}
