"""Finds what a text tells of a birth: its date, time and place, in English and Hindi, in figures and in words.

The words are in topics.json. A place is recognised by its position, because nobody can list all towns: after "in" or
before "में", after the hour, or as a part between commas that holds nothing else.
"""

import itertools
import re
from collections.abc import Iterable
from functools import cache

from engine.mind.topics import contains_any, data, words_of

FACTS = ("date", "time", "place")  # in the order of the questions

_NUMBER = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty"
_CLOCK = r"[ap]\.? ?m\b"
_FIGURES = {
    "date": re.compile(r"(?<!\d)(?:19|20|१९|२०)\d\d(?!\d| ?(?:hours|hrs))|\d{1,2}[./-]\d{1,2}[./-]"),
    "time": re.compile(
        rf"\b\d{{1,2}}(?::\d\d| ?{_CLOCK})|\b(?:{_NUMBER})[ -]?{_CLOCK}|\bat (?:\d{{1,2}}|{_NUMBER})\b(?![:.]?\d)"
        r"|\bquarter (?:to|past)\b|\bhalf past\b|\b(?:[01]\d|2[0-3])[0-5]\d ?(?:hours|hrs)\b|\dt\d\d:\d\d"
    ),
}
_PARTS = re.compile(r"[,;\n।]|\. ")
_AFTER_HOUR = re.compile(rf"(?:\b\d{{0,2}} ?{_CLOCK}\.?|बजे|\bbaje\b)([^,;\n।]+)")
_BEFORE_PLACE = ("in", "at", "from", "near")
_AFTER_PLACE = ("में", "मे", "mein")
_LONGEST_PLACE = 3  # words


def told(text: str) -> set[str]:
    """Which of FACTS the text contains."""
    return {fact for fact in FACTS if mentions(text, fact)}


def mentions(text: str, fact: str) -> bool:
    """True if the text contains this one of FACTS."""
    words = words_of(text)
    if contains_any(words, data()["facts"][fact]):
        return True
    if fact == "place":
        return _has_place(text, words)
    return bool(_FIGURES[fact].search(text.lower()))


def speaks_of_birth(text: str) -> bool:
    """True if the text mentions a birth, or tells a date together with a time."""
    return contains_any(words_of(text), data()["birth"]) or (mentions(text, "date") and mentions(text, "time"))


def _has_place(text: str, words: list[str]) -> bool:
    pairs = list(itertools.pairwise(words))
    if any(first in _BEFORE_PLACE and _may_be_place([second]) for first, second in pairs):
        return True
    if any(second in _AFTER_PLACE and _may_be_place([first]) for first, second in pairs):
        return True
    if not (mentions(text, "date") or mentions(text, "time")):
        return False
    parts = [*_AFTER_HOUR.findall(text.lower()), *_PARTS.split(text)]
    return any(_may_be_place(words_of(part)) for part in parts)


def _may_be_place(words: Iterable[str]) -> bool:
    """True for one to three words that are no figures, and no words of dates, times or talk."""
    names = list(words)
    facts = data()["facts"]
    return (
        0 < len(names) <= _LONGEST_PLACE
        and all(len(name) > 1 and not any(map(str.isdigit, name)) for name in names)
        and _no_places().isdisjoint(names)
        and not any(contains_any(names, facts[fact]) for fact in ("date", "time"))
        and not contains_any(names, data()["birth"])
        and not contains_any(names, data()["unknown"])
    )


@cache
def _no_places() -> frozenset[str]:
    return frozenset(word for text in data()["no_place"] for word in words_of(text))
