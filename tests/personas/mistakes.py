"""Generates every single mistake in a file of personas: each keyword of the schemas, in each place, and more."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from schemas.explain import Parts
from tests.personas.strategies import DEFS, SHIPPED_FEATURES

Wrong = tuple[Parts, Any]  # the way to a value, and what it should not be
GONE = object()


@dataclass(frozen=True)
class Mistake:
    """A file in which one value is wrong or missing."""

    way: Parts
    bad: Any
    data: dict[str, Any]

    def __repr__(self) -> str:
        shown = "gone" if self.bad is GONE else repr(self.bad)
        return f"{self.way}: {shown[:200]}"


def mistakes(data: dict[str, Any]) -> Iterator[Mistake]:
    """The file with one mistake, once for each mistake."""
    text = orjson.dumps(data)
    for way, bad in [*wrong(file_schema(data), data), *_beyond(data)]:
        changed = at = orjson.loads(text)  # a copy in which nothing that was drawn twice is one thing
        for part in way[:-1]:
            at = at[part]
        if bad is GONE:
            del at[way[-1]]
        else:
            at[way[-1]] = bad
        yield Mistake(way, bad, changed)


def file_schema(data: dict[str, Any]) -> dict[str, Any]:
    """The schema of this file: its astrologers have the features that it declares, and no other field."""
    known = SHIPPED_FEATURES | data["features"]
    row = DEFS["astrologer"]
    fields = row["properties"] | {name: feature["schema"] for name, feature in known.items()}
    rows = {**DEFS["astrologers"], "items": {**row, "properties": fields, "additionalProperties": False}}
    file = DEFS["catalogue"]
    # Where the schema stands is for editors; nothing else reads it.
    return {**file, "properties": file["properties"] | {"astrologers": rows, "$schema": True}}


ELSEWHERE = {
    *("title", "description", "default", "properties", "required", "additionalProperties", "propertyNames", "items"),
    *("if", "else", "minLength", "minItems", "maxItems", "maxProperties", "uniqueItems"),
}
KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
}
OTHERS: tuple[Any, ...] = (None, 7, "x", True, [[]], {"x": {}})


def wrong(schema: Any, value: Any, way: Parts = ()) -> Iterator[Wrong]:
    """All values that violate one keyword of a schema, made of a valid value, also within its members."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        yield from wrong(DEFS[schema["$ref"].rpartition("/")[2]], value, way)
        return
    if "else" in schema and not isinstance(value, bool):
        yield from wrong(schema["else"], value, way)
    yield from ((way, bad) for bad in _itself(schema, value) if way)
    match value:
        case dict():
            yield from _members(schema, value, way)
        case list():
            for index, inner in enumerate(value):
                yield from wrong(schema.get("items"), inner, (*way, index))


def _itself(schema: dict[str, Any], value: Any) -> Iterator[Any]:
    for keyword, wanted in schema.items():
        match keyword:
            case "type":
                yield from [bad for bad in OTHERS if not _is(bad, wanted)][:2]
            case "enum" | "const":
                yield from ("no such thing", None)
            case "pattern":
                yield "Not So"
            case "minLength" if wanted:
                yield value[: wanted - 1]
            case "maxLength":
                yield (value or "x") * (wanted + 1) if len(value) < 2 else (value * wanted)[: wanted + 1]
            case "minItems" if wanted:
                yield value[: wanted - 1]
            case "maxItems" if value:
                once = schema.get("uniqueItems")
                yield [_other(value[0], number) if once else value[0] for number in range(wanted + 1)]
            case "maxProperties" if value:
                yield {f"{name} {number}": inner for name, inner in value.items() for number in range(wanted + 1)}
            case "uniqueItems" if wanted and value:
                yield [*value[: len(value) - (len(value) == schema.get("maxItems"))], value[0]]
            case "minimum":
                yield wanted - 1
            case "maximum":
                yield wanted + 1
            case other:
                assert other in ELSEWHERE, f"{other} can be broken, too"


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _other(text: str, number: int) -> str:
    """A different text for each number, not longer than this one."""
    return f"{number}{text}"[: max(len(text), len(str(number)))]


def _members(schema: dict[str, Any], value: dict[str, Any], way: Parts) -> Iterator[Wrong]:
    known, more = schema.get("properties", {}), schema.get("additionalProperties", True)
    yield from (((*way, name), GONE) for name in schema.get("required", ()))
    if more is False:
        yield (*way, "unheard_of"), 1
    for name, inner in value.items():
        yield from wrong(known.get(name, more), inner, (*way, name))
    if "propertyNames" in schema and value:
        yield (*way, "no such thing"), next(iter(value.values()))


def _beyond(data: dict[str, Any]) -> Iterator[Wrong]:
    """Mistakes that no schema can express, in the order of the file."""
    for key in ("language_instructions", "language_words"):
        yield (key, "Hindee"), next(iter(data[key].values()))
    yield ("language_instructions", "English"), "Speak\nEnglish."
    for gender in data["voice_mappings"]:
        yield ("voice_mappings", gender, "Hindee"), "alloy"
        yield ("voice_mappings", gender, "English"), "bob"
    yield ("voice_genders", "bob"), "Male"
    yield ("features", "two words"), {"schema": {}}
    yield ("features", "greeting"), {"schema": {}}
    for name in data["features"]:
        yield ("features", name, "prompt"), "{% for x in value %}{{ x }}{% endfor %}"
    for index, row in enumerate(data["astrologers"]):
        at = ("astrologers", index)
        if index:
            yield (*at, "astrologer_id"), data["astrologers"][0]["astrologer_id"]
        yield from (((*at, "language"), bad) for bad in ("Klingon", "Welsh"))
        yield (*at, "voice_id"), "bob"
        for name, value in row.items():
            yield from (((*at, name, *way), bad) for way, bad in _unsayable(value))
        yield from _unusable(row, at)


def _unsayable(value: Any) -> Iterator[Wrong]:
    match value:
        case str():
            yield from (((), bad) for bad in (f"{value[:9]}\u202e", "  \u3000", "Language: Klingon"))
        case list():
            yield from (((index, *way), bad) for index, inner in enumerate(value) for way, bad in _unsayable(inner))
        case dict():
            yield from (((name, *way), bad) for name, inner in value.items() for way, bad in _unsayable(inner))


def _unusable(row: dict[str, Any], at: Parts) -> Iterator[Wrong]:
    if "pricing" in row:
        yield (*at, "pricing", "currency"), "XXX"
        yield (*at, "pricing", "per_minute"), 0.001
    if "availability" in row:
        hours = row["availability"]
        here = (*at, "availability")
        yield (*here, "timezone"), "Mars/Olympus"
        yield from (((*here, "closed", number), "2026-02-30") for number in range(len(hours.get("closed", ()))))
        if "hours" in hours:
            yield from (((*here, "hours"), bad) for bad in ("9-5", "9am-9am", "9am-1pm, 12am-3pm"))
            yield here, {"timezone": "UTC", "hours": "always", "weekly": {"Mon": "always"}}
        else:
            yield from (((*here, "weekly", day), "9-5") for day in hours["weekly"])
            yield here, {name: value for name, value in hours.items() if name != "weekly"}


def consequences(mistake: Mistake, data: dict[str, Any]) -> set[Parts]:
    """Where else the mistake is reported: at each persona that needs the wrong value, at the field that needs it."""
    broken = mistake.way
    if broken[0] == "voice_mappings" and mistake.bad not in ("bob", "alloy"):
        broken = broken[:2]  # what has not the shape of a gender's mapping is left out whole
    found = {way for need, way in _needs(data) if _within(broken, need) or _within(need, broken)}
    found |= {way for way in (mistake.way, *found) for way in _in_the_row(way, mistake.bad, data)}
    hurt = {way[1] for way in (mistake.way, *found) if way[0] == "astrologers" and len(way) > 1}
    left = [row for index, row in enumerate(data["astrologers"]) if index not in hurt]
    if left and mistake.way != ("astrologers",) and all(row.get("status") == "inactive" for row in left):
        found.add(("astrologers",))
    return found


def _within(inner: Parts, outer: Parts) -> bool:
    return inner[: len(outer)] == outer


def _needs(data: dict[str, Any]) -> Iterator[tuple[Parts, Parts]]:
    """The entries that a persona needs, and their places."""
    aliases = data["voice_aliases"]
    for gender, mapped in data["voice_mappings"].items():
        yield from ((("voice_aliases", v), ("voice_mappings", gender, x)) for x, v in mapped.items() if v in aliases)
    for index, row in enumerate(data["astrologers"]):
        at = ("astrologers", index)
        yield ("language_instructions", row["language"]), (*at, "language")
        yield from ((("features", name), (*at, name)) for name in row if name not in DEFS["astrologer"]["properties"])
        mapped = data["voice_mappings"][row["gender"]][row["language"]]
        if "voice_id" not in row:
            yield ("voice_mappings", row["gender"], row["language"]), (*at, "voice_id")
        if (voice := row.get("voice_id", mapped)) in aliases:
            yield ("voice_aliases", voice), (*at, "voice_id")


def _in_the_row(way: Parts, bad: Any, data: dict[str, Any]) -> Iterator[Parts]:
    """Two faults of one mistake: who has no known gender or language has no mapped voice; a name stands in a line."""
    if way[0] != "astrologers" or len(way) != 3 or not isinstance(bad, str):
        return
    at, row = way[:2], data["astrologers"][int(way[1])]
    if "voice_id" not in row and bad and (way[2] == "gender" or (way[2] == "language" and bad == "Welsh")):
        yield (*at, "voice_id")
    if way[2] == "name" and "\u202e" in bad:
        naming = [name for name, feature in data["features"].items() if "persona.name" in feature.get("prompt", "")]
        yield from ((*at, name) for name in naming if name in row)
