"""What is wrong with a personas file, said so that whoever wrote it can mend it: where, what, and what instead."""

import difflib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

Parts = tuple[str | int, ...]  # the way from the file's root to a value

_SCHEMA_FILE = Path(__file__).parent.parent / "schemas" / "personas.schema.json"
_SCHEMA: dict[str, Any] = json.loads(_SCHEMA_FILE.read_bytes())
_OURS: Registry[Any] = Registry().with_resource(_SCHEMA["$id"], Resource.from_contents(_SCHEMA))
# jsonschema would fetch an unknown $ref from the network; an empty registry cannot.
_NOTHING: Registry[Any] = Registry()

VOICES: tuple[str, ...] = tuple(_SCHEMA["$defs"]["realtime_voice"]["enum"])
SHARED_FIELDS: frozenset[str] = frozenset(_SCHEMA["$defs"]["catalogue"]["properties"])
PERSONA_FIELDS: tuple[str, ...] = tuple(_SCHEMA["$defs"]["astrologer"]["properties"])


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend: `path` is the JSON path of the value, `persona` the id that it belongs to, if any."""

    path: str
    message: str
    persona: str = ""

    def __str__(self) -> str:
        return f"{self.path}{f' ({self.persona})' if self.persona else ''}: {self.message}"


class CatalogueBroken(Exception):
    """The file holds nobody who could be called; `faults` says why."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


def path_of(parts: Parts) -> str:
    """Write parts as a JSON path: ("astrologers", 2, "tone") is $.astrologers[2].tone."""
    return "$" + "".join(_step(part) for part in parts)


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if re.fullmatch(r"[A-Za-z_$][\w$]*", part) else f"[{json.dumps(part, ensure_ascii=False)}]"


def shape_faults(definition: str, value: object, at: Parts) -> list[Fault]:
    """Check a value against one of $defs of personas.schema.json."""
    schema = {"$ref": f"{_SCHEMA['$id']}#/$defs/{definition}"}
    return _faults(Draft202012Validator(schema, registry=_OURS), value, at)


def value_faults(schema: Mapping[str, Any], value: object, at: Parts) -> list[Fault]:
    """Check a feature's value against the schema that the file declares for it; nothing is ever fetched."""
    return _faults(Draft202012Validator(schema, registry=_NOTHING), value, at)


def text_fault(text: str, *, multiline: bool = False) -> str | None:
    """Say what keeps a text out of a prompt, or None: blanks, a control character, a line break, a language line."""
    if text.isspace():
        return "is blank; write something, or take it out."
    for position, character in enumerate(text):
        if _unspeakable(character) and not (multiline and character in "\n\t"):
            advice = "use spaces, or declare the feature multiline" if character in "\r\n\t" else "take it out"
            return f"holds U+{ord(character):04X}, a control character, at character {position + 1}; {advice}."
    if re.search(r"(?im)^\s*language\s*:", text):
        return "has a line that begins with 'Language:', which only the server writes; say it in other words."
    return None


def texts_in(value: object, at: Parts) -> Iterator[tuple[Parts, str]]:
    """Every text in a JSON value, keys too, with the place where it stands."""
    match value:
        case str():
            yield at, value
        case dict():
            for key, inner in value.items():
                yield (*at, key), key
                yield from texts_in(inner, (*at, key))
        case list():
            for index, inner in enumerate(value):
                yield from texts_in(inner, (*at, index))


def nearest(word: str, names: Iterable[str]) -> str:
    """Write "Did you mean 'x'?" with a leading space when a name is near enough, else nothing."""
    known = {name.casefold(): name for name in sorted(names)}
    asked = word.casefold()
    close = difflib.get_close_matches(asked, known, n=5) or [
        name for name in known if len(asked) >= 3 and name.startswith(asked)
    ]
    # The first letter is seldom the wrong one: Hindee is Hindi, though Chinese is nearer.
    close.sort(key=lambda name: name[:1] != asked[:1])
    return f" Did you mean '{known[close[0]]}'?" if close else ""


def _unspeakable(character: str) -> bool:
    # The zero-width joiners (U+200C, U+200D) are part of Indian spelling; other format characters only hide text.
    return unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp", "Cs"} and character not in "\u200c\u200d"


def _faults(validator: Draft202012Validator, value: object, at: Parts) -> list[Fault]:
    found = [
        Fault(path_of((*at, *error.absolute_path, *more)), message)
        for error in validator.iter_errors(value)
        for more, message in _sentences(error)
    ]
    return list(dict.fromkeys(found))  # jsonschema tells one error for each missing field; each tells them all


def _sentences(error: Any) -> Iterator[tuple[Parts, str]]:
    match error.validator:
        case "required":
            for name in error.validator_value:
                if name not in error.instance:
                    hint = error.schema.get("properties", {}).get(name, {}).get("description", "Add it.")
                    yield (name,), f"is missing. {hint}"
        case "additionalProperties" if error.validator_value is False:
            known = error.schema.get("properties", {})
            for name in error.instance:
                if name not in known:
                    yield (name,), unknown(name, known)
        case keyword:
            yield (), _SAY.get(keyword, lambda error: f"does not fit: {error.message}.")(error)


def unknown(name: str, known: Iterable[str]) -> str:
    """Say that a field is unknown, which one was probably meant, and which there are."""
    names = list(known)
    return f"is not a known field.{nearest(name, names)} Known: {', '.join(names)}."


def _wrong_choice(error: Any) -> str:
    choices = [choice if isinstance(choice, str) else json.dumps(choice) for choice in error.validator_value]
    given = error.instance if isinstance(error.instance, str) else json.dumps(error.instance)
    return f"must be one of {', '.join(choices)}, not '{given[:60]}'.{nearest(given[:60], choices)}"


def _too_short(error: Any) -> str:
    if not error.instance:
        return f"is empty. {error.schema.get('description', 'Fill it, or take it out.')}"
    return f"is too short: {len(error.instance)}, at least {error.validator_value} are needed."


def _too_long(error: Any) -> str:
    return f"is too long: {len(error.instance)}, at most {error.validator_value} are allowed."


_KINDS = {
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
    type(None): "null",
}
_TYPES = {"string": "text", "boolean": "true or false", "number": "a number", "integer": "a whole number"}
_TYPES |= {"array": "a list", "object": "an object"}

_SAY: dict[str, Callable[[Any], str]] = {
    "type": lambda e: f"must be {_TYPES[e.validator_value]}, not {_KINDS[type(e.instance)]}.",
    "enum": _wrong_choice,
    "const": lambda e: f"must be {json.dumps(e.validator_value, ensure_ascii=False)}.",
    "minLength": _too_short,
    "minItems": _too_short,
    "maxLength": _too_long,
    "maxItems": _too_long,
    "pattern": lambda e: f"does not fit: '{e.instance[:70]}'. {e.schema.get('description', '')}".rstrip(),
    "minimum": lambda e: f"is {e.instance}; at least {e.validator_value} is needed.",
    "maximum": lambda e: f"is {e.instance}; at most {e.validator_value} is allowed.",
    "uniqueItems": lambda e: "names something twice; name each once.",
}
