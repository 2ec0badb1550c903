"""What the server itself says in matters of care: the fixed sentence with a helpline, instructions.

The words are in words.json. A language without words of its own has the English ones.
"""

import functools
import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from care.helplines import Helpline
from care.signs import Kind, Worried

_ENGLISH = "en"


def languages() -> tuple[str, ...]:
    """The ISO 639-1 codes of the languages that have words of their own."""
    said = _words()["help"]
    return tuple({**said["suicide"], **said["any"]})


def help_sentence(language: str, kind: Kind, helplines: Sequence[Helpline]) -> str:
    """The fixed sentence that names the first of the helplines, which are as `numbers` gives them."""
    by_language = {**_words()["help"]["any"], **_words()["help"][kind]}
    line = helplines[0]
    return str(_in(by_language, language)).format(name=line.name_in(language), number=line.spoken)


def instructions(worries: Sequence[Worried], helplines: Sequence[Helpline]) -> str:
    """The section of a prompt for a persona whose caller may be in danger; in English, as all instructions are.

    Where the only worry is that the caller is a child, the persona goes on, in another tone.
    """
    care = _words()["care"]
    lines = "; ".join(f"{line.name} {line.spoken}" for line in helplines)
    said = [care[worried.kind] for worried in worries]
    if any(worried.kind != "child" for worried in worries):
        said.insert(0, care["all"].format(lines=lines))
    return "\n".join(said if any(worried.sure for worried in worries) else [*said, care["unsure"]])


def _in(by_language: dict[str, str], language: str) -> str:
    return by_language.get(language, by_language[_ENGLISH])


@functools.cache
def _words() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(files("care").joinpath("words.json").read_text(encoding="utf-8"))
    return data
