"""What is wrong with a personas file, said so that whoever wrote it can mend it: where, what, and what instead."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from schemas.sentences import Parts, faults

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


def _unspeakable(character: str) -> bool:
    # The zero-width joiners (U+200C, U+200D) are part of Indian spelling; other format characters only hide text.
    return unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp", "Cs"} and character not in "\u200c\u200d"


def _faults(validator: Draft202012Validator, value: object, at: Parts) -> list[Fault]:
    return [Fault(path, message) for path, message in faults(validator, value, at)]
