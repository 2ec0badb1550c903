"""Phrases with gaps, found in folded words: the small language in which the lists of signs are written.

    i .. {want} to? die|dying        "I really want to die", "I am thinking of dying"

A phrase is words and the following, with blanks between:

    {name}    one of a named list, whose entries may be several words, and may themselves name lists
    a|{name}  either
    word?     may be missing; also a|b? and {name}?
    ..        up to three words that do not matter
    .         the end of the text; also a|.

Words are folded (care/folding.py) as texts are, so any spelling of them will do. Most texts have no word in common with
most phrases; so each phrase is tried only on a text that has a word of each of its parts.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, product
from typing import Generic, TypeVar

from care.folding import Folded, fold

T = TypeVar("T")

GAP = 3  # words
END = "."  # stands behind the last word
HIDDEN = ""  # in place of a word that was hidden: it is part of no phrase, and no gap reaches over it

_NOWHERE = -1


class Unwritable(ValueError):
    """A phrase or a list that makes no sense, and why."""


class Part:
    """A part of a phrase. `ways`: by their first word, the ways to say it, the longest first; of a gap none."""

    __slots__ = ("missing", "ways")

    def __init__(self, ways: Iterable[Folded], missing: bool) -> None:
        self.missing = missing
        self.ways: dict[str, list[Folded]] = defaultdict(list)
        for way in sorted(set(ways), key=lambda way: (-len(way), way)):
            self.ways[way[0]].append(way)
        self.ways.default_factory = None


Parts = tuple[Part, ...]


class Lists:
    """The named lists of some sets of phrases. What several phrases have in common is read and kept once."""

    def __init__(self, entries: Mapping[str, Sequence[str]]) -> None:
        self._entries = entries
        self._ways: dict[str, tuple[Folded, ...] | None] = {}  # by the name of a list; None while it is read
        self._parts: dict[str, Part] = {}  # as they are written

    def read(self, phrase: str) -> Parts:
        """The parts of a phrase. Raises Unwritable."""
        parts = tuple(map(self._part, phrase.split()))
        if all(part.missing or not part.ways for part in parts):
            raise Unwritable(f"'{phrase}' has no word that must be there")
        if not parts[0].ways or not parts[-1].ways:
            raise Unwritable(f"'{phrase}' begins or ends with a gap")
        return parts

    def _part(self, written: str) -> Part:
        if written not in self._parts:
            self._parts[written] = self._new_part(written)
        return self._parts[written]

    def _new_part(self, written: str) -> Part:
        if written == "..":
            return Part((), missing=False)
        ways = list(self._ways_to_say(written.removesuffix("?")))
        if () in ways or not ways:
            raise Unwritable(f"'{written}' has no letters")
        return Part(ways, missing=written.endswith("?"))

    def _ways_to_say(self, written: str) -> Iterator[Folded]:
        for one in written.split("|"):
            if one.startswith("{"):
                yield from self._list(one.strip("{}"))
            else:
                yield (END,) if one == END else fold(one)

    def _list(self, name: str) -> tuple[Folded, ...]:
        if name not in self._entries:
            raise Unwritable(f"there is no list '{name}'")
        if name not in self._ways:
            self._ways[name] = None
            self._ways[name] = tuple(chain.from_iterable(map(self._entry, self._entries[name])))
        ways = self._ways[name]
        if ways is None:
            raise Unwritable(f"'{{{name}}}' is a list within itself")
        return ways

    def _entry(self, entry: str) -> Iterator[Folded]:
        parts = (tuple(self._ways_to_say(word)) for word in entry.split())
        return (tuple(chain.from_iterable(way)) for way in product(*parts))


class Phrases(Generic[T]):
    """A set of phrases, each with what it means. Immutable."""

    def __init__(self, phrases: Iterable[tuple[str, T]], lists: Lists) -> None:
        self._known = [(lists.read(phrase), meaning) for phrase, meaning in phrases]
        self._tried: dict[str, list[int]] = defaultdict(list)  # by a word of its rarest part
        self._needed: list[list[frozenset[str]]] = []  # of the other parts, the words of which one must be there
        often = Counter(word for parts, _ in self._known for part in parts for word in part.ways)
        for number, (parts, _) in enumerate(self._known):
            needed = [frozenset(part.ways) for part in parts if part.ways and not part.missing]
            needed.sort(key=lambda words: sum(often[word] for word in words))
            self._needed.append(needed[1:])
            for word in needed[0]:
                self._tried[word].append(number)

    def __len__(self) -> int:
        return len(self._known)

    def find(self, words: Folded) -> Iterator[tuple[T, int]]:
        """(meaning, number of the word behind it) of each phrase among the words."""
        for number in self._candidates(words):
            parts, meaning = self._known[number]
            yield from ((meaning, end) for _, end in _matches(parts, words))

    def hide(self, words: Folded) -> Folded:
        """The words, with HIDDEN in place of those of a phrase."""
        for number in self._candidates(words):
            for start, end in _matches(self._known[number][0], words):
                words = (*words[:start], *[HIDDEN] * (end - start), *words[end:])
        return words

    def _candidates(self, words: Folded) -> list[int]:
        """The phrases of which every part that must be there has its first word in the text."""
        present, tried, needed = set(words), self._tried, self._needed
        possible = {number for word in present if word in tried for number in tried[word]}
        return sorted(number for number in possible if not any(map(present.isdisjoint, needed[number])))


def _matches(parts: Parts, words: Folded) -> Iterator[tuple[int, int]]:
    """(first word, the one behind the last) of each place where the parts match."""
    first, start = parts[0], 0
    while start < len(words):
        if words[start] in first.ways or first.missing:
            end = _end(parts, 0, words, start)
            if end > start:
                yield start, end
                start = end - 1
        start += 1


def _end(parts: Parts, at: int, words: Folded, place: int) -> int:
    """Behind which word the parts from `at` on end, if they begin at `place`; _NOWHERE if they do not match."""
    if at == len(parts):
        return place
    part = parts[at]
    if not part.ways:
        for behind in range(place, min(place + GAP, len(words) - 1) + 1):
            if (end := _end(parts, at + 1, words, behind)) != _NOWHERE:
                return end
            if words[behind] == HIDDEN:
                break
        return _NOWHERE
    for way in part.ways.get(words[place], ()) if place < len(words) else ():
        if words[place : place + len(way)] == way:
            end = _end(parts, at + 1, words, place + len(way))
            if end != _NOWHERE:
                return end
    return _end(parts, at + 1, words, place) if part.missing else _NOWHERE
