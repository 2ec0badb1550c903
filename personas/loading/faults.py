"""The faults of a personas file, written for its author: where the fault is, what is wrong, what to write instead."""

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import regex

from schemas.explain import Parts, shown

# Invisible characters hide text, or make two texts look alike. Allowed are those that are needed: the zero-width
# joiners U+200C and U+200D in Indian scripts, the variation selectors U+FE0E and U+FE0F in emoji.
_UNSEEN = regex.compile(r"[\u200c\u200d\ufe0e\ufe0f]")
_HIDDEN = regex.compile(
    r"[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]--[\u200c\u200d\ufe0e\ufe0f]]", regex.V1
)
_COLON = re.compile("[:\ufe13\ufe55\uff1a]")  # NFKC maps each of these to ":"
_LANGUAGE_LINE = re.compile(r"(?im)^[^\w\n]*language\s*:")

_SHORT = 60  # characters of a text whose result is cached
_LONGEST_PATH = 200  # characters of a path in a message
_DEEPEST = 32  # levels of lists and objects
TOO_DEEP = "is nested too deeply to be read."
TWICE = "is written twice in one object. Keep one of the two."


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: `path` is the JSON path of the value, `persona` the id of the persona that it belongs to, if any.

    `line` and `column` count from 1 in the file; they are 0 if the data did not come from a file.
    """

    path: str
    message: str
    persona: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        path = self.path if len(self.path) <= _LONGEST_PATH else f"{self.path[:_LONGEST_PATH]}..."
        return f"{path}{f' ({shown(self.persona)})' if self.persona else ''}: {self.message}"

    def within(self, file: Path, kind: str = "") -> str:
        """The text of the fault, preceded by `file:line:column:` as editors and terminals recognise it."""
        return f"{file}:{self.line}:{self.column}: {kind}{self}" if self.line else f"{file}: {kind}{self}"


Faults: TypeAlias = tuple[Fault, ...]


class CatalogueBroken(Exception):
    """The file has no persona without a fault; `faults` says why."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class InvalidValue(Exception):
    """A value fits its schema and is still invalid. `faults` are pairs of the path within the value and a sentence."""

    def __init__(self, faults: Iterable[tuple[Parts, str]]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(message for _, message in self.faults))


def text_fault(text: str, *, multiline: bool = False) -> str | None:
    """Say why a text may not stand in a prompt, or None.

    Refused are blank texts, invisible characters, line breaks unless `multiline`, and a line such as "Language: ...".
    """
    # Short texts (keys, keywords) repeat in a file.
    return _short_fault(text, multiline) if len(text) <= _SHORT else _fault(text, multiline)


@functools.lru_cache(maxsize=16384)
def _short_fault(text: str, multiline: bool) -> str | None:
    return _fault(text, multiline)


def _fault(text: str, multiline: bool) -> str | None:
    if text.isspace():
        return "is blank; write something, or take it out."
    for hidden in _HIDDEN.finditer(text):
        if not (multiline and hidden[0] in "\n\t"):
            advice = "use spaces, or declare the feature multiline" if hidden[0] in "\r\n\t" else "take it out"
            code, place = f"U+{ord(hidden[0]):04X}", hidden.start() + 1
            return f"holds {code}, a control character, at character {place}; {advice}."
    if _COLON.search(text) and _LANGUAGE_LINE.search(unicodedata.normalize("NFKC", _UNSEEN.sub("", text))):
        return "has a line that begins with 'Language:', which only the server writes; say it in other words."
    return None


def texts_in(value: object, at: Parts) -> Iterator[tuple[Parts, str]]:
    """Every string in a JSON value, keys included, with its place; `at` is the place of the value."""
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


def too_deep(value: object, left: int = _DEEPEST) -> bool:
    """True if a JSON value has more than `left` levels, so that recursive readers could exceed their limits."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return bool(inner) and (not left or any(too_deep(one, left - 1) for one in inner))
