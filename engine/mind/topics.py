"""Which topic a caller speaks of, in English and Hindi, in both scripts: word patterns from topics.json, in order.

A pattern is words in a row; a `*` at a word's end stands for any ending.
"""

import json
import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

Pattern: TypeAlias = tuple[str, ...]

SEPARATORS = re.compile(r"[\s.,!?;:\u0964\"()\[\]\u2026/-]+")
FIGURES = {
    "date": re.compile(r"\d{4}|\d{1,2}[./-]\d{1,2}[./-]"),
    "time": re.compile(r"\b\d{1,2}(:\d\d| ?[ap]\.?m\b)"),
}
NUKTA, CANDRABINDU, ANUSVARA = "\u093c", "\u0901", "\u0902"


@cache
def data() -> dict[str, Any]:
    """topics.json as it is written."""
    read: dict[str, Any] = json.loads((Path(__file__).parent / "topics.json").read_text(encoding="utf-8"))
    return read


def topic_of(text: str) -> str | None:
    """The first topic of the list whose words are in the text."""
    said = words_of(text)
    for topic in data()["topics"]:
        if (
            _holds(said, topic["words"])
            and ("with" not in topic or _holds(said, topic["with"]))
            and not _holds(said, topic.get("without", ()))
        ):
            return str(topic["name"])
    return None


def stands_alone(topic: str) -> bool:
    """Whether a topic is answered by itself and never becomes what the call is about (thanks, a greeting)."""
    return topic in data()["alone"]


def tells(text: str, fact: str) -> bool:
    """Whether the text holds a `date`, `time` or `place` as people say it."""
    figures = FIGURES.get(fact)
    return _holds(words_of(text), data()["facts"][fact]) or bool(figures and figures.search(text.lower()))


def speaks_of_birth(text: str) -> bool:
    return _holds(words_of(text), data()["birth"])


def does_not_know(text: str) -> bool:
    return _holds(words_of(text), data()["unknown"])


def is_romanised(text: str) -> bool:
    """Whether this is Hindi in Latin letters."""
    return _holds(words_of(text), data()["romanised"])


def words_of(text: str) -> list[str]:
    """The words, folded so that spellings which sound the same are equal: case, nukta, nasal dots, possessives."""
    folded = unicodedata.normalize("NFD", text.casefold()).replace(NUKTA, "").replace(CANDRABINDU, ANUSVARA)
    plain = unicodedata.normalize("NFC", folded).replace("\u2019", "'")
    return [word.removesuffix("'s") for word in SEPARATORS.split(plain) if word]


def _holds(said: Sequence[str], patterns: Sequence[str]) -> bool:
    return any(_stands_in(said, _parsed(pattern)) for pattern in patterns)


def _stands_in(said: Sequence[str], pattern: Pattern) -> bool:
    last = len(said) - len(pattern)
    return any(all(map(_is, said[start:], pattern)) for start in range(last + 1))


def _is(word: str, pattern: str) -> bool:
    return word.startswith(pattern[:-1]) if pattern.endswith("*") else word == pattern


@cache
def _parsed(pattern: str) -> Pattern:
    return tuple(words_of(pattern))
