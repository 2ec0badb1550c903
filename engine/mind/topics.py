"""Finds the topic of a text in English or Hindi, in both scripts, by the word patterns of topics.json.

A pattern is a sequence of words; a `*` at the end of a word matches any ending. The first topic that matches is used.
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
NUKTA, CANDRABINDU, ANUSVARA = "\u093c", "\u0901", "\u0902"


@cache
def data() -> dict[str, Any]:
    """The content of topics.json."""
    read: dict[str, Any] = json.loads((Path(__file__).parent / "topics.json").read_text(encoding="utf-8"))
    return read


def topic_of(text: str) -> str | None:
    """The first topic of topics.json whose patterns match the text, or None."""
    said = words_of(text)
    for topic in data()["topics"]:
        if (
            contains_any(said, topic["words"])
            and ("with" not in topic or contains_any(said, topic["with"]))
            and not contains_any(said, topic.get("without", ()))
        ):
            return str(topic["name"])
    return None


def stands_alone(topic: str) -> bool:
    """True if a topic has replies of its own and never becomes the topic of the call (thanks, a greeting)."""
    return topic in data()["alone"]


def does_not_know(text: str) -> bool:
    """True if the text says that the caller does not know."""
    return contains_any(words_of(text), data()["unknown"])


def is_romanised(text: str) -> bool:
    """True if the text is Hindi in Latin letters."""
    return contains_any(words_of(text), data()["romanised"])


def words_of(text: str) -> list[str]:
    """The normalised words of a text: without case, nukta and possessive 's; candrabindu becomes anusvara."""
    folded = unicodedata.normalize("NFD", text.casefold()).replace(NUKTA, "").replace(CANDRABINDU, ANUSVARA)
    plain = unicodedata.normalize("NFC", folded).replace("\u2019", "'")
    return [word.removesuffix("'s") for word in SEPARATORS.split(plain) if word]


def contains_any(said: Sequence[str], patterns: Sequence[str]) -> bool:
    """True if any of these patterns matches somewhere in the words."""
    return any(_contains(said, _parsed(pattern)) for pattern in patterns)


def _contains(said: Sequence[str], pattern: Pattern) -> bool:
    last = len(said) - len(pattern)
    return any(all(map(_matches, said[start:], pattern)) for start in range(last + 1))


def _matches(word: str, pattern: str) -> bool:
    return word.startswith(pattern[:-1]) if pattern.endswith("*") else word == pattern


@cache
def _parsed(pattern: str) -> Pattern:
    return tuple(words_of(pattern))
