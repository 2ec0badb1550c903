"""Repeats a caller's words, changed from "I" to "you", if that is simple."""

import re
from collections.abc import Sequence
from typing import Any

from engine.mind.prompt import DEVANAGARI
from engine.mind.topics import is_romanised, words_of

LONGEST = 24  # words of a sentence that is repeated
LONGEST_WORD = 40  # letters; what is longer is no word that anybody wants to hear read out
STOPS = " .!?,;\u0964"
SENTENCE_END = re.compile(r"(?<=[.!?])(?<!\b[APap]\.[Mm]\.)\s+")  # the full stops of "7 a.m." end no sentence
HOUR = re.compile(
    r".*\d|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:.+-)?(?:fifteen|thirty|five)|"
    r"twenty|forty|fifty|half|quarter|past|o'clock|oclock"
)
BETWEEN = frozenset(["also", "always", "just", "now", "not", "only", "really", "still", "very"])  # "I" and its verb
OWNED = frozenset(["of", "is", "was", "are", "were", "be", "not", "like", "than", "and", "with", "to", "yours", "for"])


def echoed(text: str, phrases: dict[str, Any]) -> str | None:
    """The last sentence with words, in the second person; None if that is not simple, or the language has no table.

    Hindi has no table: its transcripts have too many errors to be repeated.
    """
    table = phrases.get("turned")
    spoken = (each.strip(STOPS) for each in reversed(SENTENCE_END.split(text)) if any(map(str.isalnum, each)))
    sentence = next(spoken, "")
    words = sentence.split()
    if any(len(word) > LONGEST_WORD for word in words):
        return None
    if table is None or not 0 < len(words) <= LONGEST or DEVANAGARI.search(text):
        return None
    # "you" would have to become "I" or "me"; Hindi in Latin letters is not in the table.
    if is_romanised(text) or any(word in phrases["second_person"] for word in words_of(sentence)):
        return None
    is_month = words[0] == "May" and words[1:2] and words[1][0].isdigit()
    if words[0].strip(STOPS).lower() in phrases["starters"] and not is_month:
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
    plain = [word.strip(STOPS).lower().replace("\u2019", "'") for word in words]
    turned = []
    for at, word in enumerate(words):
        core = word.strip(STOPS)
        new = _meant(plain, at, table.get(plain[at], core), core)
        turned.append(word.replace(core, new) if core else word)
    return " ".join(turned)


def _meant(plain: Sequence[str], at: int, new: str, core: str) -> str:
    """The `new` form of a word, or the `core` as it is, where a word that can mean two things means the other one."""
    before = next((word for word in reversed(plain[:at]) if word not in BETWEEN), "")
    after = plain[at + 1] if at + 1 < len(plain) else ""
    if plain[at] in ("am", "was"):
        beside_i = before == "i" or (after == "i" and not HOUR.fullmatch(before))
        return {"am": "are", "was": "were"}[plain[at]] if beside_i else core
    if plain[at] == "mine":  # else it is one for coal
        return new if before in OWNED or not before else core
    return new
