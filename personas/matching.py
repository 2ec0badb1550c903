"""Who fits what a caller says they want to talk about: words found, counted, and named; nothing is guessed.

A word of the query counts two points as a keyword or a name, one as part of the speciality, once at most; one point
more goes to a persona who greets in the script of the query, if anything else was found. Words meet within a script
when they are written alike, and across Latin and Devanagari when they sound alike: "shaadi" finds "शादी".
"""

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from personas.persona import Persona

_LONGEST_QUERY = 500  # characters; the rest is not read
_SHORTEST_SOUND = 3  # below that, too many words sound alike


@dataclass(frozen=True, slots=True)
class Match:
    """A persona, its points, and the words of the persona that the query holds, as the file writes them."""

    persona: Persona
    score: int
    because: tuple[str, ...]


def best(personas: Iterable[Persona], query: str, limit: int) -> tuple[Match, ...]:
    """The personas that the query speaks of, best first; equals in the order given. Empty when it speaks of none."""
    asked = _words(query[:_LONGEST_QUERY])
    found = [match for persona in personas if (match := _match(persona, asked))]
    return tuple(sorted(found, key=lambda match: -match.score)[:limit])


def _match(persona: Persona, asked: Sequence[str]) -> Match | None:
    points: dict[int, int] = {}  # by the place of the word asked, so that two ways to write it do not count twice
    because: list[str] = []
    for phrase, weight in _phrases(persona):
        places = [place for place in _places(asked, _words(phrase)) if place not in points]
        if places:
            points |= dict.fromkeys(places, weight)
            because.append(phrase)
    if not because:
        return None
    at_home = _script(asked[0]) == _script((_words(persona.greeting) or ("",))[0])
    return Match(persona, sum(points.values()) + at_home, tuple(because))


def _phrases(persona: Persona) -> Iterator[tuple[str, int]]:
    """Everything a query may hold of a persona, with the points of each of its words."""
    for weight, phrases in ((2, persona.keywords), (2, persona.name.split()), (1, persona.speciality.split())):
        for phrase in phrases:
            yield phrase, weight


def _places(asked: Sequence[str], phrase: Sequence[str]) -> range:
    """Where the phrase's words first stand side by side among those asked; empty when nowhere."""
    span = len(phrase)
    for start in range(len(asked) - span + 1):
        if all(map(_alike, asked[start : start + span], phrase)):
            return range(start, start + span)
    return range(0)


def _alike(one: str, other: str) -> bool:
    if one == other or _script(one) == _script(other):
        return one == other
    return len(_sound(one)) >= _SHORTEST_SOUND and _sound(one) == _sound(other)


@functools.lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    """Words in lower case. Vowel signs are marks to Unicode, not letters: a regex would break Hindi words apart."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u200c", "").replace("\u200d", "")
    kept = (c if unicodedata.category(c)[0] in "LMN" else " " for c in folded)
    # Nukta and candrabindu are written or left out as one likes.
    return tuple("".join(kept).replace("\u093c", "").replace("\u0901", "\u0902").split())


@functools.lru_cache(maxsize=4096)
def _script(word: str) -> str:
    """The script of a word's first letter, as Unicode names it: LATIN, DEVANAGARI."""
    return unicodedata.name(word[0], "").partition(" ")[0] if word else ""


_CONSONANTS = dict(
    zip(
        "कखगघङचछजझञटठडढणतथदधनपफबभमयरलवशषसह",
        "kkggnccjjnttddnttddnppbbmyrlvsssh",
        strict=True,
    )
)
_VOWELS = dict(zip("आाइिईीउुऊूएेऐैओोऔौंऋृ", [*"aaiiiiuuuueeeeoooon", "ri", "ri"], strict=True))
_LATIN = (("sh", "s"), ("ch", "c"), ("w", "v"), ("f", "p"), ("ph", "p"), ("z", "j"), ("ee", "i"), ("oo", "u"))


@functools.lru_cache(maxsize=4096)
def _sound(word: str) -> str:
    """How a word sounds, roughly, the same for both scripts: shaadi and शादी are "sdi", Tina and तीना "tina"."""
    letters = "".join(_CONSONANTS.get(c) or _VOWELS.get(c) or (c if c.isascii() else "") for c in word)
    for written, heard in _LATIN:
        letters = letters.replace(written, heard)
    letters = re.sub(r"(?<=[bcdgjkpst])h", "", letters)  # aspiration
    letters = re.sub(r"(.)\1+", r"\1", letters).replace("ai", "e").replace("au", "o").replace("y", "")
    return re.sub(r"a(?!$)", "", letters)  # Devanagari leaves the short a out; a final a is a long one
