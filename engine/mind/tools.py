"""Which function the engine's own mind calls, and what it says of what came of it: simple, and always the same.

A function fits what the caller said if a word of its name is in it, or two words of its description. Words that say
nothing of a function (`get`, `current`) do not count, unless its name has no others.
"""

import re
from collections.abc import Iterable, Sequence

import orjson

from engine.mind.arguments import arguments_of
from engine.mind.prompt import DEVANAGARI
from engine.mind.topics import words_of
from realtime.server.conversation import new_id
from realtime.server.settings import Event
from realtime.server.tools import Called, Returned, Said, Toolbox, since_asked
from upstream.facts import Turn

NAME = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")
GENERIC = frozenset(
    (  # noqa: SIM905  # as a list it fills the screen
        "get fetch look up lookup find give show tell make do run call use tool function current my your our the a an "
        "of for in on at to by with from and or is are be it its this that these those any some all given when what "
        "which who how if not info information data value result results detail details return returns user caller"
    ).split()
)
LONGEST = 400  # characters of what came of a call that are said


def chosen(tools: Toolbox) -> tuple[Called, ...]:
    """The call to make: one that must be, or whose function fits; none once this turn has called."""
    if not tools.offered:
        return ()
    text = _asked(tools.history)
    best = max(tools.offered, key=lambda tool: _score(tool, text))  # the first of the best
    called = any(isinstance(said, Called | Returned) for said in since_asked(tools.history))
    if not tools.must and (called or not _score(best, text)):
        return ()
    return (Called(new_id("call"), best["name"], arguments_of(best.get("parameters"), text)),)


def outcome(tools: Toolbox) -> str | None:
    """What to say of the calls of this turn; None if nothing has come of any since somebody spoke."""
    outputs: list[str] = []
    for said in since_asked(tools.history):
        match said:
            case Returned(_, output):
                outputs.append(output)
            case Turn():
                outputs.clear()
    if not outputs:
        return None
    found = ". ".join(filter(None, map(_words, outputs)))[:LONGEST].rstrip(" .")
    hindi = DEVANAGARI.search(_asked(tools.history))
    if not found:
        return "हो गया।" if hindi else "That is done."
    return f"मुझे यह मिला: {found}।" if hindi else f"Here is what I found: {found}."


def _asked(history: Sequence[Said]) -> str:
    """What the caller said last."""
    turns = (said.text for said in reversed(history) if isinstance(said, Turn) and said.role == "user")
    return next(turns, "")


def _score(tool: Event, text: str) -> int:
    """How well a function fits; 0 if it does not."""
    said = words_of(text)
    named = [word.lower() for word in NAME.findall(tool["name"])]
    telling = [word for word in named if word not in GENERIC]
    names = _count(telling, said) if telling else int(all(_is_in(word, said) for word in named))
    about = {word for word in words_of(str(tool.get("description") or "")) if word not in GENERIC}
    described = _count(about, said)
    return 3 * names + described if names or described > 1 else 0


def _count(words: Iterable[str], said: Sequence[str]) -> int:
    return sum(_is_in(word, said) for word in words)


def _is_in(word: str, said: Sequence[str]) -> bool:
    """True if the word was said, also with another ending."""
    return any(word == each or (min(len(word), len(each)) > 3 and _alike(word, each)) for each in said)


def _alike(word: str, other: str) -> bool:
    return word.startswith(other) or other.startswith(word)


def _words(output: str) -> str:
    """An output as it can be said: JSON as its names and values."""
    try:
        return _told(orjson.loads(output))
    except orjson.JSONDecodeError:
        return output.strip()


def _told(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case dict():
            return ", ".join(f"{str(name).replace('_', ' ')} {_told(each)}".strip() for name, each in value.items())
        case list():
            return ", ".join(filter(None, map(_told, value)))
        case _:
            return str(value).strip()
