"""Schema errors as sentences for the author of a value: where the fault is, what is wrong, what to write instead.

jsonschema finds the errors. `_sentences` turns each into a path and a sentence, by a table from the keyword of the
schema ("enum", "maxLength") to a function. `nearest` adds "Did you mean ...?" where a name was probably mistyped.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator
from rapidfuzz import process
from rapidfuzz.distance import OSA, Prefix

Parts = tuple[str | int, ...]  # the keys and indices from the root of a JSON document to a value

_LONGEST_WORD = 60  # characters of a word that are compared, or repeated in a message
_MOST_NAMES = 40  # that one message lists
_MOST_FAULTS = 100  # that are collected of one value
_MOST_TOLD = 8  # faults that a caller is sent


def shape_faults(schema: Mapping[str, Any], value: object, at: Parts = ()) -> list[tuple[str, str]]:
    """List the faults of a value as (JSON path, sentence); `at` is the place of the value in its document."""
    return faults(Draft202012Validator(schema), value, at)


def faults(
    validator: Draft202012Validator, value: object, at: Parts = (), *, secret: bool = False
) -> list[tuple[str, str]]:
    """List the faults that an existing validator finds, a hundred at most, without repetition.

    With `secret`, no sentence quotes a part of the value.
    """
    found = [
        (path_of((*at, *error.absolute_path, *more)), message)
        for error in islice(validator.iter_errors(value), _MOST_FAULTS)
        for more, message in _sentences(error, _SAY | _SAY_OF_SECRETS if secret else _SAY)
    ]
    return list(dict.fromkeys(found))  # jsonschema has an error per missing field; `_sentences` lists all for each


def first_of(faults: Iterable[str]) -> str:
    """Join the first eight faults into one text that says if there are more; the iterator is not read further."""
    told = [*islice(faults, _MOST_TOLD + 1)]
    return " ".join(told) if len(told) <= _MOST_TOLD else f"{' '.join(told[:_MOST_TOLD])} And more: mend these first."


def path_of(parts: Parts) -> str:
    """Format parts as a JSON path: ("astrologers", 2, "tone") is $.astrologers[2].tone."""
    return "$" + "".join(_step(part) for part in parts)


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if re.fullmatch(r"[A-Za-z_$][\w$]*", part) else f"[{json.dumps(part, ensure_ascii=False)}]"


def nearest(word: str, names: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" (with the leading space) if one of `names` is similar enough, else ""."""
    known = {name.casefold(): name for name in sorted(names)}
    asked = word[:_LONGEST_WORD].casefold()
    most = min(_MOST_SLIPS, len(asked) // 3)
    near = process.extract(asked, list(known), scorer=OSA.distance, score_cutoff=most, limit=None)
    slips = [name for name, mistakes, _ in near if _slip(asked, name, int(mistakes))]
    parts = [name for name in known if len(asked) >= 3 and name.startswith(asked)] or [
        name for name in known if len(asked) >= 4 and asked in name
    ]
    # A word that is a part of several names suggests none of them.
    close = slips[:1] or parts * (len(parts) == 1)
    return f" Did you mean '{known[close[0]]}'?" if close else ""


_MOST_SLIPS = 3


def _slip(asked: str, name: str, mistakes: int) -> bool:
    """True if `asked` may be `name` with typing mistakes: at most one in three letters, `mistakes` in all.

    Letters are counted from the first word in which the two differ. People seldom mistype the first letter of a word:
    Hindee is Hindi, but IST is not MST, and Asia/Mumbai is not Asia/Dubai.
    """
    same = int(Prefix.similarity(asked, name))
    before = re.match(r".*[\W_]|", asked[:same])
    begin = before.end() if before else 0
    rest, sure = len(asked) - begin, same - begin  # letters from that word on, and how many of its first are equal
    likely = sure > 1 or (sure == 1 and rest > 3) or (mistakes == 1 and (rest > 5 or sorted(asked) == sorted(name)))
    return not mistakes or (likely and mistakes <= rest // 3)


def shown(word: str) -> str:
    """Shorten a word for use in a message."""
    return word if len(word) <= _LONGEST_WORD else f"{word[:_LONGEST_WORD]}..."


def listed(names: Iterable[str]) -> str:
    """Join names for use in a message: forty at most, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - _MOST_NAMES} more" if len(every) > _MOST_NAMES else ""
    return f"{', '.join(map(shown, every[:_MOST_NAMES]))}{more}"


def _sentences(error: Any, say: "Mapping[str, Callable[[Any], str]]") -> Iterator[tuple[Parts, str]]:
    """The sentences for one error, each with the path from the erroneous value to the place that is meant."""
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
            yield (), say.get(keyword, lambda error: f"does not fit: {shown(error.message)}.")(error)


def unknown(name: str, known: Iterable[str]) -> str:
    """The sentence for an unknown field: which one was probably meant, and which exist."""
    names = sorted(known)
    return f"is not a known field.{nearest(name, names)} Known: {listed(names)}."


def _wrong_choice(error: Any, *, secret: bool = False) -> str:
    choices = [_written(choice) for choice in error.validator_value]
    if isinstance(error.instance, list | dict):
        return f"must be one of {listed(choices)}, not {_KINDS[type(error.instance)]}."
    given = _written(error.instance)
    but = "" if secret else f", not '{shown(given)}'"
    return f"must be one of {listed(choices)}{but}.{nearest(given, choices)}"


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


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


def _wrong_type(error: Any) -> str:
    """The sentence for a wrong type; in place of text that encodes bytes, their numbers are often sent."""
    given = error.instance
    if encoding := error.schema.get("contentEncoding"):
        return f"must be {encoding} text, not {'a list of numbers' if _numbers(given) else _KINDS[type(given)]}."
    return f"must be {_TYPES[error.validator_value]}, not {_KINDS[type(given)]}."


def _numbers(given: object) -> bool:
    """True for bytes as JavaScript writes an array, a typed array, or a Buffer of them."""
    if isinstance(given, dict):
        given = given.get("data") or [given.get("0")]
    return isinstance(given, list) and bool(given) and type(given[0]) is int


_SAY: dict[str, Callable[[Any], str]] = {
    "type": _wrong_type,
    "enum": _wrong_choice,
    "const": lambda e: f"must be {shown(json.dumps(e.validator_value, ensure_ascii=False))}.",
    "minLength": _too_short,
    "minItems": _too_short,
    "maxLength": _too_long,
    "maxItems": _too_long,
    "maxProperties": lambda e: f"has too many entries: {len(e.instance)}, at most {e.validator_value} are allowed.",
    "pattern": lambda e: f"does not fit: '{shown(e.instance)}'. {e.schema.get('description', '')}".rstrip(),
    "minimum": lambda e: f"is {e.instance}; at least {e.validator_value} is needed.",
    "maximum": lambda e: f"is {e.instance}; at most {e.validator_value} is allowed.",
    "not": lambda e: f"cannot be {e.instance}. {e.schema.get('description', '')}".rstrip(),
    "uniqueItems": lambda e: "names something twice; name each once.",
    "anyOf": lambda e: f"lacks something. {e.schema.get('description', '')}".rstrip(),
}
_SAY_OF_SECRETS: dict[str, Callable[[Any], str]] = {
    "enum": lambda e: _wrong_choice(e, secret=True),
    "minimum": lambda e: f"is too small; at least {e.validator_value} is needed.",
    "maximum": lambda e: f"is too large; at most {e.validator_value} is allowed.",
}
