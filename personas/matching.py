"""Who fits what a caller says they want to talk about: words found, counted, and named; nothing is guessed.

A word of the query counts three points as a name, two as a keyword, one as part of the speciality, as a synonym of a
keyword, or when it has a typing mistake; each word counts once, for what it counts most. One point more goes to whoever
speaks the language of the query, if anything else was found; of equals they come first. Words meet in all their forms,
and across Latin and Devanagari when they sound alike: "shaadi" finds "शादी". Synonyms, and the words by which a
language that is written in another's letters gives itself away, stand in the file.

The index is made once for a catalogue: from a word to the phrases that begin with it, from a phrase to what it stands
for (a text of a persona, or all that means the same), and from there to the personas, all of whom are counted at once.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from personas.languages import spelled_in
from personas.persona import Persona
from personas.tally import Tally
from personas.words import one_letter_less, script, sound, stem, words

_POINT = 2  # less is for the order of equals
_SAME_LANGUAGE = 1
_LONGEST_QUERY = 500  # characters; the rest is not read
_SHORTEST_SOUND = 3  # below that, too many words sound alike
_SHORTEST_TYPO = 6  # of the longer of two words: crash is not crush

Words = tuple[str, ...]
_Target = tuple[str | int, int]


@dataclass(frozen=True, slots=True)
class Match:
    """A persona, its points, and the words of the persona that the query holds or means, as the file writes them."""

    persona: Persona
    score: int
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Phrase:
    """Words that stand for a text, or for the synonyms of this number, with the points of each word."""

    spelled: Words
    target: str | int
    weight: int


class Index:
    """Finds the personas that a query speaks of."""

    def __init__(
        self, personas: Iterable[Persona], synonyms: Sequence[Sequence[str]], spoken: Mapping[str, Collection[str]]
    ) -> None:
        self._personas = tuple(personas)
        self._speakers: dict[str, int] = defaultdict(int)
        for number, persona in enumerate(self._personas):
            self._speakers[persona.language_code] |= 1 << number
        self._spoken = spoken
        self._shown: dict[_Target, dict[str, str]] = defaultdict(dict)  # by persona, as what
        self._starting: dict[str, set[_Phrase]] = defaultdict(set)
        self._known = _Vocabulary()
        self._read([[words(phrase) for phrase in group] for group in synonyms])
        bits = {persona.id: 1 << number for number, persona in enumerate(self._personas)}
        self._holders = {target: sum(bits[id_] for id_ in shown) for target, shown in self._shown.items()}

    def best(self, query: str, among: Collection[str], limit: int) -> tuple[Match, ...]:
        """Of the ids given, whom the query speaks of, best first; of equals whoever speaks its language."""
        asked = words(query[:_LONGEST_QUERY])
        found = self._found(asked)
        tally = Tally()
        counted = [0] * len(asked)  # for whom a word has counted already: the weightiest came first
        for phrase, places, weight in found:
            holders = self._holders[phrase.target, phrase.weight]
            for place in places:
                tally.add(holders & ~counted[place], weight * _POINT)
                counted[place] |= holders
        tally.add(self._at_home(asked) & tally.anybody(), _POINT + _SAME_LANGUAGE)
        ranked = ((self._personas[number], total // _POINT) for number, total in tally.ranked())
        best = islice(((persona, points) for persona, points in ranked if persona.id in among), limit)
        return tuple(Match(persona, points, self._because(persona, found)) for persona, points in best)

    def _because(self, persona: Persona, found: Iterable[tuple[_Phrase, range, int]]) -> tuple[str, ...]:
        counted: set[int] = set()
        because: dict[str, None] = {}
        for phrase, places, _ in found:
            shown = self._shown[phrase.target, phrase.weight].get(persona.id)
            if shown is not None and not counted.issuperset(places):
                counted.update(places)
                because[shown] = None
        return tuple(because)

    def _read(self, synonyms: Sequence[Sequence[Words]]) -> None:
        groups: dict[Words, list[int]] = defaultdict(list)
        for number, group in enumerate(synonyms):
            for spelled in group:
                groups[spelled].append(number)
        for persona in self._personas:
            for text, weight in _texts(persona):
                spelled = words(text)
                self._add(spelled, text, weight)
                self._shown[text, weight][persona.id] = text
                for number in groups.get(spelled, ()):
                    self._shown[number, 1].setdefault(persona.id, text)
        for spelled, numbers in groups.items():
            for number in numbers:
                if (number, 1) in self._shown:
                    self._add(spelled, number, 1)

    def _add(self, spelled: Words, target: str | int, weight: int) -> None:
        if spelled and (phrase := _Phrase(spelled, target, weight)) not in self._starting[spelled[0]]:
            self._starting[spelled[0]].add(phrase)
            for word in spelled:
                self._known.add(word)

    def _found(self, asked: Words) -> list[tuple[_Phrase, range, int]]:
        """Every phrase in the query, with its place and its points, the weightiest first."""
        alike = [self._known.alike(word) for word in asked]
        found = []
        for start, firsts in enumerate(alike):
            for first in firsts:
                for phrase in self._starting.get(first, ()):
                    rest = list(zip(phrase.spelled, alike[start:], strict=False))
                    if len(rest) == len(phrase.spelled) and all(word in known for word, known in rest):
                        sure = all(known[word] for word, known in rest)
                        places = range(start, start + len(rest))
                        found.append((phrase, places, phrase.weight if sure else 1))
        return sorted(found, key=lambda one: (-one[2], -len(one[1]), one[1].start, str(one[0].target)))

    def _at_home(self, asked: Words) -> int:
        """Who speaks a language that a query may be in: by the words that give one away, else by its letters."""
        hints = {code: sum(word in spoken for word in asked) for code, spoken in self._spoken.items()}
        most = max(hints.values(), default=0)
        text = " ".join(asked)
        return sum(
            people
            for code, people in self._speakers.items()
            if (hints.get(code) == most if most else spelled_in(text, code))
        )


def _texts(persona: Persona) -> Iterator[tuple[str, int]]:
    """Everything a query may name of a persona, with the points of each of its words."""
    for weight, texts in ((2, persona.keywords), (3, persona.name.split()), (1, persona.speciality.split())):
        for text in dict.fromkeys(texts):
            yield text, weight


class _Vocabulary:
    """The words that are looked for, by everything by which one may be recognised."""

    def __init__(self) -> None:
        self._all: set[str] = set()
        self._by_stem: dict[str, set[str]] = defaultdict(set)
        self._by_sound: dict[str, set[str]] = defaultdict(set)
        self._by_typo: dict[str, set[str]] = defaultdict(set)

    def add(self, word: str) -> None:
        if word not in self._all:
            self._all.add(word)
            self._by_stem[stem(word)].add(word)
            self._by_sound[sound(word)].add(word)
            for mistyped in one_letter_less(word):
                self._by_typo[mistyped].add(word)

    def alike(self, asked: str) -> dict[str, bool]:
        """The known words that this may be: True when it is, False when only a typing mistake would make it so."""
        same = {asked} & self._all | self._by_stem.get(stem(asked), set()) | self._sounding(asked)
        mistyped = set() if same else self._mistyped(asked)
        return dict.fromkeys(same, True) | dict.fromkeys(mistyped, False)

    def _sounding(self, asked: str) -> set[str]:
        heard = sound(asked)
        found = self._by_sound.get(heard, set()) if len(heard) >= _SHORTEST_SOUND else set()
        return {word for word in found if script(word) != script(asked)}

    def _mistyped(self, asked: str) -> set[str]:
        near = {word for form in one_letter_less(asked) for word in self._by_typo.get(form, ())}
        return {word for word in near if word[0] == asked[0] and max(len(word), len(asked)) >= _SHORTEST_TYPO}
