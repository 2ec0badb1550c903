"""Parses a prompt: the lines and sections that realtime/contract.py and personas/prompt.py define."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from realtime.contract import GO_ON, SAY_EXACTLY, language_of
from upstream.facts import Turn

EXPERTISE = re.compile(r"^#+ *(?:Expertise|Speciality)\s*\n(.+)|^(?:Expertise|Speciality): *(.+)", re.MULTILINE)
TODAY = re.compile(r"^(?:#+ *)?Today[:\s]+(\d{4}-\d\d-\d\d)", re.MULTILINE)
YOUNG = re.compile(r"^# Young caller$", re.MULTILINE)
PARTS = "You cannot go on with this caller"
TOLD = re.compile(r"^Birth (date|time|place): ", re.MULTILINE)
DEVANAGARI = re.compile("[\u0900-\u097f]")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A parsed prompt: ISO 639-1 code of its language, expertise, date (YYYY-MM-DD), the words to say exactly.

    `goes_on`: the reply must continue an answer that was interrupted. `told` are the facts of birth that it has of the
    caller: "date", "time", "place". `young`: the caller is a minor; `parts`: so that the persona must say goodbye.
    """

    language: str | None
    expertise: str
    today: str | None
    exactly: str | None
    goes_on: bool = False
    told: frozenset[str] = frozenset()
    young: bool = False
    parts: bool = False


def parse_prompt(instructions: str) -> Prompt:
    """Parse instructions. What they do not contain is None or empty."""
    expertise = EXPERTISE.search(instructions)
    today = TODAY.search(instructions)
    _, asked, exactly = instructions.partition(SAY_EXACTLY)
    return Prompt(
        language=language_of(instructions),
        expertise=(expertise[1] or expertise[2]) if expertise else "",
        today=today[1] if today else None,
        exactly=exactly.strip() if asked else None,
        goes_on=GO_ON in instructions,
        told=frozenset(TOLD.findall(instructions.rpartition("\n# Caller\n")[2])),
        young=(young := bool(YOUNG.search(instructions))),
        parts=young and PARTS in instructions,
    )


def spoken_language(prompt: Prompt, turns: Sequence[Turn]) -> str:
    """The language of the reply: "hi" or "en" if the prompt says so, else Hindi after a turn in Devanagari."""
    if prompt.language in ("hi", "en"):
        return prompt.language
    last = next((turn.text for turn in reversed(turns) if turn.role == "user"), "")
    return "hi" if DEVANAGARI.search(last) else "en"
