"""Repeats a caller's words, changed from "I" to "you", if that is simple."""

import re
from collections.abc import Sequence
from typing import Any

from engine.mind.prompt import DEVANAGARI
from engine.mind.topics import is_romanised, words_of

LONGEST = 24  # words of a sentence that is repeated
STOPS = " .!?,;\u0964"


def echoed(text: str, phrases: dict[str, Any]) -> str | None:
    """The last sentence in the second person; None if that is not simple, or the language has no table for it.

    Hindi has no table: its transcripts have too many errors to be repeated.
    """
    table = phrases.get("turned")
    sentence = re.split(r"(?<=[.!?])\s+", text.strip())[-1].strip(STOPS)
    words = sentence.split()
    if table is None or not 0 < len(words) <= LONGEST or DEVANAGARI.search(text):
        return None
    # "you" would have to become "I" or "me"; Hindi in Latin letters is not in the table.
    if is_romanised(text) or any(word in phrases["second_person"] for word in words_of(sentence)):
        return None
    if words[0].strip(STOPS).lower() in phrases["starters"]:
        words[0] = words[0].lower()
    return _turned(words, table)


def is_question(text: str, phrases: dict[str, Any]) -> bool:
    """True if a text ends with "?", begins with a question word, or (in Hindi) contains one."""
    words = words_of(text)
    anywhere = words_of(" ".join(phrases["asks_anywhere"]))
    begins = words[:1] in [[each] for each in phrases["asks"]]
    return text.rstrip().endswith("?") or begins or not set(words).isdisjoint(anywhere)


def _turned(words: Sequence[str], table: dict[str, str]) -> str:
    """Replace words: `I was` becomes `you were`, `my` becomes `your`. Punctuation is not changed."""
    turned, before = [], ""
    for word in words:
        core = word.strip(STOPS)
        plain = core.lower().replace("\u2019", "'")
        new = "were" if plain == "was" and before == "i" else table.get(plain, core)
        turned.append(word.replace(core, new) if core else word)
        before = plain
    return " ".join(turned)
