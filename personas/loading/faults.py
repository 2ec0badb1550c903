"""What is wrong with a personas file, said so that whoever wrote it can mend it: where, what, and what instead."""

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import regex

from schemas.explain import Parts, shown

# What nobody sees hides text, or makes two texts look alike. Indian spelling needs the zero-width joiners (U+200C,
# U+200D), emoji the variation selectors U+FE0E and U+FE0F.
_UNSEEN = regex.compile(r"[\u200c\u200d\ufe0e\ufe0f]")
_HIDDEN = regex.compile(
    r"[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]--[\u200c\u200d\ufe0e\ufe0f]]", regex.V1
)
_COLON = re.compile("[:\ufe13\ufe55\uff1a]")  # each is ":" to NFKC
_LANGUAGE_LINE = re.compile(r"(?im)^[^\w\n]*language\s*:")

_SHORT = 60  # characters
_LONGEST_PATH = 200  # characters that are written of a path
_DEEPEST = 32  # lists and objects in one another
TOO_DEEP = "is nested too deeply to be read."


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend: `path` is the JSON path of the value, `persona` the id that it belongs to, if any.

    `line` and `column` count from 1 in the file; 0 where there is no file.
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
        """The same behind the place in a file, as editors jump to it."""
        return f"{file}:{self.line}:{self.column}: {kind}{self}" if self.line else f"{file}: {kind}{self}"


class CatalogueBroken(Exception):
    """The file holds nobody who could be called; `faults` says why."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class Unusable(Exception):
    """A value has the right shape and still cannot be: each fault with the way to it from the value."""

    def __init__(self, faults: Iterable[tuple[Parts, str]]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(message for _, message in self.faults))


def text_fault(text: str, *, multiline: bool = False) -> str | None:
    """Say what keeps a text out of a prompt, or None: blanks, hidden characters, a line break, a language line."""
    # Keys and keywords come again and again.
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


def too_deep(value: object, left: int = _DEEPEST) -> bool:
    """Whether a JSON value is nested more deeply than anybody writes, and than all that reads it can follow."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return bool(inner) and (not left or any(too_deep(one, left - 1) for one in inner))
