"""Finds what a persona must not say in a call: stay, pay, buy this, or else; and that it is a human being.

English, Hindi in either script, by the phrases of said.json. For counting, not for stopping anybody: lists miss what is
said around a corner, and see pressure where there is none (docs/safety.md has the rates).
"""

import functools
import json
import re
from importlib.resources import files
from typing import NamedTuple

from care.folding import fold, key, windows
from care.phrases import END, Lists, Phrases

_SENTENCE = re.compile(r"[^.!?;\n\u0964]+")  # the last one is the danda of Devanagari


def pressed(text: str) -> frozenset[str]:
    """By which rules the words of a persona press the caller: stay, sell, remedy, fear, human. Never raises.

    Of a text of any length; nothing of it is kept.
    """
    rules = _rules()
    found: set[str] = set()
    for window in windows(text):
        for match in _SENTENCE.finditer(window):
            words = rules.allowed.hide((*fold(match[0]), END))
            denied = not rules.no.isdisjoint(words)
            found |= {rule for (rule, always), _ in rules.phrases.find(words) if always or not denied}
    return frozenset(found)


def what_it_does(rule: str) -> str:
    """What a persona does who breaks this rule, to be read behind its name."""
    return _rules().messages[rule]


class _Rules(NamedTuple):
    """`phrases` mean (rule, whether they count also in a sentence with a negation)."""

    allowed: Phrases[None]
    phrases: Phrases[tuple[str, bool]]
    no: frozenset[str]
    messages: dict[str, str]


@functools.cache
def _rules() -> _Rules:
    data = json.loads(files("care").joinpath("said.json").read_text(encoding="utf-8"))
    lists = Lists(data["lists"])
    phrases = [
        (phrase, (one["rule"], always))
        for one in data["findings"]
        for always in (False, True)
        for phrase in one["deny" if always else "say"]
    ]
    allowed = Phrases(((phrase, None) for phrase in data["allowed"]), lists)
    messages = {one["rule"]: one["message"] for one in data["findings"]}
    return _Rules(allowed, Phrases(phrases, lists), frozenset(map(key, data["lists"]["no"])), messages)
