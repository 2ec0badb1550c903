"""Finds what a persona's prompt must not ask for: to pass for human, to keep callers on the line, to sell, to frighten.

English prompts only, by the phrases of pressure.json: a warning for an author, no proof of anything.
"""

import functools
import json
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import NamedTuple

from care.folding import fold, key
from care.phrases import END, Lists, Phrases

_SENTENCE = re.compile(r"[^.!?;\n]+")
_SHOWN = 80  # characters of a sentence in a finding


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence of a prompt and what is wrong with it. `rule`: human, stay, sell, remedy or fear."""

    rule: str
    message: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.message}: “{self.sentence}”"


def pressure(prompt: str) -> list[Finding]:
    """What a prompt asks for against docs/safety.md, sentence by sentence, each rule once a sentence."""
    rules = _rules()
    found: dict[tuple[str, str], Finding] = {}
    for match in _SENTENCE.finditer(prompt):
        sentence = " ".join(match[0].split())
        words = rules.allowed.hide((*fold(sentence), END))
        negated = next((at for at, word in enumerate(words) if word in rules.no), len(words))
        for (rule, message, denied), end in rules.phrases.find(words):
            if denied or end <= negated:
                shown = sentence if len(sentence) <= _SHOWN else f"{sentence[: _SHOWN - 1]}…"
                found.setdefault((sentence, rule), Finding(rule, message, shown))
    return list(found.values())


class _Rules(NamedTuple):
    """`phrases` mean (rule, message, whether they count also behind a negation)."""

    allowed: Phrases[None]
    phrases: Phrases[tuple[str, str, bool]]
    no: frozenset[str]


@functools.cache
def _rules() -> _Rules:
    data = json.loads(files("care").joinpath("pressure.json").read_text(encoding="utf-8"))
    lists = Lists(data["lists"])
    phrases = [
        (phrase, (one["rule"], one["message"], denied))
        for one in data["findings"]
        for denied in (False, True)
        for phrase in one["deny" if denied else "say"]
    ]
    allowed = Phrases(((phrase, None) for phrase in data["allowed"]), lists)
    return _Rules(allowed, Phrases(phrases, lists), frozenset(map(key, data["lists"]["no"])))
