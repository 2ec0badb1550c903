"""Finds the personas that match a query, by its words, and names the words that matched.

A word of the query gives three points if it is a part of a name, two for a keyword, one for a part of the speciality,
for a synonym of a keyword, and for a word with a typing mistake. Each word counts once, with the most points it can
give. A persona that has points gets one more if it speaks the language of the query, and precedes others with equal
points. Words are compared by stem, and across Latin and Devanagari by sound: "shaadi" finds "शादी". The file has the
synonyms, and the words by which a language is recognised that is written in the letters of another.

The index is built once for a catalogue:

    word of the query ─▶ _Vocabulary.alike ─▶ known words ─▶ trie of phrases (_ways) ─▶ end of a phrase (_ends)
                                                                                            │
                      points ◀─ Tally, all personas at once ◀─ _Meaning: the set of personas ◀┘

A phrase is a text of personas (a keyword, a part of a name), or a synonym, which stands for the texts of its group.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from personas.languages import spelled_in
from personas.persona import Persona
from personas.search.scoring import Tally
from personas.search.words import deletions, phonetic_key, plain, script, split, stem, words

_POINT = 2  # in the tally; the bit below orders equals
_SAME_LANGUAGE = 1
_LONGEST_QUERY = 500  # characters; the rest is not read
_SHORTEST_SOUND = 3  # below that, too many words have the same key
_SHORTEST_TYPO = 6  # of the longer of two words: crash is not crush

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A persona, its points, and the texts of the persona that the query contains or means, as in the file."""

    persona: Persona
    score: int
    because: tuple[str, ...]


class _Meaning(NamedTuple):
    """What a phrase stands for: the text `name` of the set `people`; or, for a synonym, the text of each persona."""

    name: str
    people: int
    texts: Mapping[int, str]


class _Hit(NamedTuple):
    """A phrase in the query: what it stands for, the indices of its words, and the points of each of its words."""

    meaning: _Meaning
    places: range
    weight: int


class Index:
    """Finds the personas that match a query. They are numbered; sets of them are ints, see scoring.py."""

    def __init__(
        self, personas: Iterable[Persona], synonyms: Sequence[Sequence[str]], spoken: Mapping[str, Collection[str]]
    ) -> None:
        self._personas = tuple(personas)
        self._speakers: dict[str, int] = defaultdict(int)
        for number, persona in enumerate(self._personas):
            self._speakers[persona.language_code] |= 1 << number
        self._spoken = spoken
        self._ways: dict[tuple[int, str], int] = {}  # the trie: (node, next word) -> node; the root is 0
        self._ends: dict[int, list[tuple[_Meaning, int]]] = defaultdict(list)  # node -> meanings, each with its points
        self._known = _Vocabulary()
        self._read([[words(phrase) for phrase in group] for group in synonyms])

    def best_matches(self, query: str, among: int, limit: int) -> tuple[Match, ...]:
        """The best matches among a set, best first; of equals, those who speak the language of the query."""
        asked = _asked(query)
        found = self._hits(asked)
        best = islice(self._ranked(asked, found, among), limit)
        return tuple(Match(self._personas[number], points, _because(number, found)) for number, points in best)

    def all_matches(self, query: str, among: int) -> tuple[Persona, ...]:
        """All matching personas among a set, best first."""
        asked = _asked(query)
        return tuple(self._personas[number] for number, _ in self._ranked(asked, self._hits(asked), among))

    def _ranked(self, asked: Words, found: Sequence[_Hit], among: int) -> Iterator[tuple[int, int]]:
        """(number of the persona, points) of those with any, most points first."""
        scoring = Tally()
        counted = [0] * len(asked)  # for each word, the personas for which it gave points: the most points come first
        for (_, people, _), places, weight in found:
            for place in places:
                scoring.add(people & ~counted[place], weight * _POINT)
                counted[place] |= people
        scoring.add(self._speaking(asked) & scoring.with_points(), _POINT + _SAME_LANGUAGE)
        return ((number, total // _POINT) for number, total in scoring.ranked(among))

    def _read(self, synonyms: Sequence[Sequence[Words]]) -> None:
        groups: dict[Words, list[int]] = defaultdict(list)
        for group, phrases in enumerate(synonyms):
            for spelled in dict.fromkeys(phrases):
                groups[spelled].append(group)
        people: dict[tuple[str, int], int] = defaultdict(int)
        texts: dict[int, dict[int, str]] = defaultdict(dict)
        for number, persona in enumerate(self._personas):
            for text, weight in _texts(persona):
                people[text, weight] |= 1 << number
                for group in groups.get(words(text), ()):
                    texts[group].setdefault(number, text)
        for (text, weight), holders in people.items():
            self._add(words(text), _Meaning(text, holders, {}), weight)
        for group, shown in texts.items():
            meaning = _Meaning(str(group), sum(1 << number for number in shown), shown)
            for spelled in dict.fromkeys(synonyms[group]):
                self._add(spelled, meaning, 1)

    def _add(self, spelled: Words, meaning: _Meaning, weight: int) -> None:
        if spelled:
            place = 0
            for word in spelled:
                self._known.add(word)
                place = self._ways.setdefault((place, word), len(self._ways) + 1)
            self._ends[place].append((meaning, weight))

    def _hits(self, asked: Words) -> list[_Hit]:
        """Every phrase in the query, those with the most points first."""
        known = {word: self._known.alike(word) for word in dict.fromkeys(asked)}
        alike = [known[word] for word in asked]
        found = [hit for start in range(len(asked)) for hit in self._phrases_from(alike, start)]
        return sorted(found, key=lambda hit: (-hit.weight, -len(hit.places), hit.places.start, hit.meaning.name))

    def _phrases_from(self, alike: Sequence[Mapping[str, bool]], start: int) -> Iterator[_Hit]:
        """Every phrase that begins at this word of the query."""
        reached = {0: True}
        for place in range(start, len(alike)):
            reached = {
                way: sure and same
                for before, sure in reached.items()
                for word, same in alike[place].items()
                if (way := self._ways.get((before, word)))
            }
            if not reached:
                return
            for way, sure in reached.items():
                for meaning, weight in self._ends.get(way, ()):
                    yield _Hit(meaning, range(start, place + 1), weight if sure else 1)

    def _speaking(self, asked: Words) -> int:
        """Those who speak the language of the query: recognised by typical words, else by the script."""
        hints = {code: sum(word in spoken for word in asked) for code, spoken in self._spoken.items()}
        most = max(hints.values(), default=0)
        text = " ".join(asked)
        return sum(
            people
            for code, people in self._speakers.items()
            if (hints.get(code) == most if most else spelled_in(text, code))
        )


def _asked(query: str) -> Words:
    """The words of a query. They are not cached, as a client may send any number of different ones."""
    return split(plain(query[:_LONGEST_QUERY])[:_LONGEST_QUERY])


def _because(number: int, found: Iterable[_Hit]) -> tuple[str, ...]:
    counted: set[int] = set()
    because: dict[str, None] = {}
    for meaning, places, _ in found:
        if meaning.people >> number & 1 and not counted.issuperset(places):
            counted.update(places)
            because[meaning.texts.get(number, meaning.name)] = None
    return tuple(because)


def _texts(persona: Persona) -> Iterator[tuple[str, int]]:
    """The texts of a persona that a query may contain, with the points for each word."""
    for weight, texts in ((2, persona.keywords), (3, persona.name.split()), (1, persona.speciality.split())):
        for text in dict.fromkeys(texts):
            yield text, weight


class _Vocabulary:
    """The words of all phrases, indexed by stem, by sound, and by their deletions of one letter."""

    def __init__(self) -> None:
        self._all: set[str] = set()
        self._by_stem: dict[str, set[str]] = defaultdict(set)
        self._by_sound: dict[str, set[str]] = defaultdict(set)
        self._by_typo: dict[str, set[str]] = defaultdict(set)

    def add(self, word: str) -> None:
        if word not in self._all:
            self._all.add(word)
            self._by_stem[stem(word)].add(word)
            self._by_sound[phonetic_key(word)].add(word)
            for mistyped in deletions(word):
                self._by_typo[mistyped].add(word)

    def alike(self, asked: str) -> dict[str, bool]:
        """The known words that match a word: True for the same word, False for one with a typing mistake."""
        same = {asked} & self._all | self._by_stem.get(stem(asked), set()) | self._sounding(asked)
        mistyped = set() if same else self._mistyped(asked)
        return dict.fromkeys(same, True) | dict.fromkeys(mistyped, False)

    def _sounding(self, asked: str) -> set[str]:
        heard = phonetic_key(asked)
        found = self._by_sound.get(heard, set()) if len(heard) >= _SHORTEST_SOUND else set()
        return {word for word in found if script(word) != script(asked)}

    def _mistyped(self, asked: str) -> set[str]:
        near = {word for form in deletions(asked) for word in self._by_typo.get(form, ())}
        return {word for word in near if word[0] == asked[0] and max(len(word), len(asked)) >= _SHORTEST_TYPO}
