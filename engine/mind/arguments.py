"""The arguments of a call, read from what the caller said by the JSON Schema of the function.

A field that may be left out is given only if the caller spoke of it. One that is needed gets what fits best: a number
that was said, a place, one of the words that it allows, and at last all that was said.
"""

import re
from typing import Any

import orjson

from engine.mind.topics import words_of

DEEPEST = 8
LARGEST = 2**53  # of the numbers that every client reads as they are; a longer row of digits is none
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w])")
COUNTED = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
PLACE = re.compile(r"\b(?:in|at|for|near|from|to|of)\s+((?:[A-Z][\w'-]*\s*)+)")
AFTER = re.compile(r"\b(?:in|at|for|near|from)\s+([^\W\d_]+)")
NAMED = re.compile(r"(?<=\s)[A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)*")
DAY = re.compile(r"\d{4}-\d\d-\d\d|\b\d{1,2}(?:st|nd|rd|th)? [A-Z][a-z]+(?: \d{4})?|\b(?:today|tomorrow|yesterday)\b")
CLOCK = re.compile(r"\b\d{1,2}(?::\d\d)?\s*(?:[ap]m\b|[ap]\.m\.)|\b\d{1,2}:\d\d\b", re.IGNORECASE)
KEYWORDS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("enum", "anyOf", "oneOf", "allOf", "required"), list),
    **dict.fromkeys(("minimum", "maximum"), (int, float)),
    "properties": dict,
    "maxLength": int,
}
PLACES = ("city", "place", "location", "town", "country", "where", "address", "destination", "region")
ALL = ("query", "question", "text", "message", "topic", "prompt", "input", "content", "search", "request", "words")


def arguments_of(parameters: object, text: str) -> str:
    """JSON of an object that follows the schema `parameters`, as far as the words allow."""
    schema = parameters if isinstance(parameters, dict) else {}
    value = Reading(schema, text).value({"type": "object", **schema}, "", needed=True, depth=0)
    return orjson.dumps(value if isinstance(value, dict) else {}).decode()


class Reading:
    """Reads one text; each number in it is given once."""

    def __init__(self, root: dict[str, Any], text: str) -> None:
        self._root = root
        self._text = text.strip()
        self._numbers = [number for each in NUMBER.findall(text) if abs(number := float(each)) <= LARGEST]
        self._numbers += [float(COUNTED.index(word)) for word in words_of(text) if word in COUNTED]

    def value(self, schema: object, name: str, *, needed: bool, depth: int) -> Any:
        """The value of a field; None if there is none, and it is not `needed`."""
        schema = self._resolved(schema)
        if depth > DEEPEST:
            return None
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._one_of(schema, needed=needed)
        match _type(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                item = self.value(schema.get("items"), name, needed=needed, depth=depth + 1)
                return None if item is None and not needed else [] if item is None else [item]
            case "integer" | "number" as kind:
                return self._number(schema, whole=kind == "integer", needed=needed)
            case "boolean":
                return schema.get("default", True) if needed or self._speaks_of(name) else None
            case "null":
                return None
            case _:
                return self._string(schema, name, needed=needed)

    def _resolved(self, schema: object) -> dict[str, Any]:
        """The schema itself, behind references and alternatives: of those the first that is not null."""
        for _ in range(DEEPEST):
            if not isinstance(schema, dict):
                return {}
            schema = _well_formed(schema)
            if isinstance(path := schema.get("$ref"), str):
                schema = self._at(path)
            elif options := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
                schema = next((each for each in options if each != {"type": "null"}), {})
            else:
                return schema
        return {}

    def _at(self, path: str) -> object:
        found: object = self._root
        for name in path.removeprefix("#/").split("/"):
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        required = schema.get("required", ())
        made = {}
        for name, each in schema.get("properties", {}).items():
            value = self.value(each, name, needed=name in required, depth=depth + 1)
            if value is not None or (name in required and _may_be_null(each)):
                made[name] = value
        return made

    def _one_of(self, schema: dict[str, Any], *, needed: bool) -> Any:
        said = words_of(self._text)
        for option in schema["enum"]:
            words = words_of(str(option).replace("_", " "))
            if words and all(word in said for word in words):
                return option
        return schema.get("default", next(iter(schema["enum"]), None)) if needed else None

    def _number(self, schema: dict[str, Any], *, whole: bool, needed: bool) -> Any:
        fitting = [each for each in self._numbers if not whole or each.is_integer()]
        if not fitting:
            return schema.get("default", schema.get("minimum", 0)) if needed else None
        self._numbers.remove(fitting[0])
        bounded = min(max(fitting[0], schema.get("minimum", fitting[0])), schema.get("maximum", fitting[0]))
        return int(bounded) if float(bounded).is_integer() and abs(bounded) <= LARGEST else bounded

    def _string(self, schema: dict[str, Any], name: str, *, needed: bool) -> str | None:
        name = name.lower()
        found: str | None = None
        if any(each in name for each in PLACES):
            place = PLACE.search(self._text) or AFTER.search(self._text)
            found = place[1].strip(" ?.!,") if place else self._named()
        elif "date" in name or "day" in name or schema.get("format") == "date":
            found = _first(DAY, self._text)
        elif "time" in name or schema.get("format") == "time":
            found = _first(CLOCK, self._text)
        elif any(each in name for each in ALL):
            found = self._text or None
        else:
            found = self._named()
        if found is None and needed:
            found = str(schema.get("default", self._text))
        return found[: schema.get("maxLength", len(found))] if found is not None else None

    def _named(self) -> str | None:
        """A name within the text: what has a capital and does not begin a sentence."""
        names = [each for each in NAMED.findall(self._text) if each not in ("I", "I'm", "OK")]
        return names[-1] if names else None

    def _speaks_of(self, name: str) -> bool:
        said = words_of(self._text)
        return any(word in said for word in words_of(name.replace("_", " ")))


def _well_formed(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without keywords whose values are none of theirs, such as null: they say nothing."""
    return {name: value for name, value in schema.items() if isinstance(value, KEYWORDS.get(name, object))}


def _type(schema: dict[str, Any]) -> str:
    """The type of a schema: of several the first that is not null."""
    kind = schema.get("type", "object" if "properties" in schema else "string")
    return str(next((each for each in kind if each != "null"), "null") if isinstance(kind, list) else kind)


def _may_be_null(schema: object) -> bool:
    if not isinstance(schema, dict):
        return False
    kind = schema.get("type")
    options = schema.get("anyOf") or schema.get("oneOf") or ()
    return "null" in (kind if isinstance(kind, list) else [kind]) or {"type": "null"} in options


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[0] if found else None
