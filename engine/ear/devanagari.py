"""Hindi that the ear wrote in Urdu letters, brought back to Devanagari.

Whisper base hears Hindi well but spells it as Urdu, and badly: short vowels are missing, letters that sound alike are
mixed up, words are glued together. So a word is compared by its skeleton (one symbol for all letters that sound the
same to the ear) with the 30,000 commonest Hindi words, by a weighted edit distance, and the likeliest one is taken.
The words and their frequencies are wordfreq's (data CC-BY-SA; read where it is installed, never copied here).
"""

import math
import re
from functools import lru_cache
from itertools import zip_longest
from typing import Final

import numpy as np
import wordfreq
from numpy.typing import NDArray

from engine.spelling import FIXED, HINDI, SYMBOLS, TALK, URDU, skeleton_of

_WEAK: Final = frozenset("ayvnhIEY")  # what is often left out or put in
_WEAK_GAP: Final = 0.4
_VOWEL_FOR_VOWEL: Final = 0.45
_SAME_VOWEL: Final = 0.25
_ALIKE: Final = 0.6
_PAIRS_ALIKE: Final = "sS kg js jS bv rd td pf cj"

_COMMON: Final = 0.12  # what ten times the frequency is worth, in edits
_FAMILIAR: Final = 0.45  # what it is worth to belong to TALK
_SURE: Final = -0.1  # cost below which a word is not read as two
_TOO_FAR: Final = 1.3  # edits; beyond it there is no such word
_GLUED: Final = 0.9  # what it costs to read one written word as two

_MARKS: Final = str.maketrans({"،": ",", "؟": "?", "۔": "।"} | {chr(0x6F0 + n): str(n) for n in range(10)})
_WORD: Final = re.compile("[\u0620-\u06d3\u06d5-\u06ef]+")
_SEAM: Final = re.compile("(?<=[\u0620-\u06ef])(?=[A-Za-z])")  # where the ear changed letters within a word
_VOWEL_POINTS: Final = re.compile("[\u064b-\u065f\u0670]")

Costs = NDArray[np.float32]


class Devanagari:
    """Reads Urdu letters as Hindi words; building its index takes about half a second."""

    def __init__(self) -> None:
        best = _likeliest_by_skeleton()
        self._words = [word for word, _ in best.values()]
        self._favour = np.array([favour for _, favour in best.values()], np.float32)
        self._lengths = np.array([len(skeleton) for skeleton in best])
        self._codes = _matrix(list(best))
        self._read = lru_cache(maxsize=20_000)(self._read_word)

    def text(self, heard: str) -> str:
        """The same words in Devanagari; what is in other letters stays as it is."""
        plain = _SEAM.sub(" ", _VOWEL_POINTS.sub("", heard))
        read = _WORD.sub(lambda match: self._read(match.group()), plain).translate(_MARKS)
        # Urdu writes "in" and "I" alike; a sentence begins with "I".
        return re.sub(r"(^|[,।.?!] *|आज |और )में(?= )", r"\1मैं", read)

    def _read_word(self, word: str) -> str:
        if word in FIXED:
            return FIXED[word]
        cost, read = self._nearest(word)
        for at in range(2, len(word) - 1) if cost > _SURE else ():
            (first, left), (second, right) = self._half(word[:at]), self._half(word[at:])
            if first + second + _GLUED < cost:
                cost, read = first + second + _GLUED, f"{left} {right}"
        return read

    def _half(self, part: str) -> tuple[float, str]:
        return (0.0, FIXED[part]) if part in FIXED else self._nearest(part)

    def _nearest(self, word: str) -> tuple[float, str]:
        """(cost, the Hindi word); the word as it is, at a cost beyond all others, when nothing is near."""
        skeleton = skeleton_of(word, URDU)
        rows = np.flatnonzero(np.abs(self._lengths - len(skeleton)) <= 2)
        edits = _distances(skeleton, self._codes[:, rows], self._lengths[rows])
        costs = np.where(edits <= _TOO_FAR, edits - self._favour[rows], np.inf)
        best = int(costs.argmin())
        return (float(costs[best]), self._words[rows[best]]) if np.isfinite(costs[best]) else (9.0, word)


def _likeliest_by_skeleton() -> dict[str, tuple[str, float]]:
    """Skeleton -> (the likeliest Hindi word that has it, how likely that word is in edits that it may cost)."""
    best: dict[str, tuple[str, float]] = {}
    for word, frequency in wordfreq.get_frequency_dict("hi").items():
        skeleton = skeleton_of(word, HINDI)
        favour = _COMMON * math.log10(frequency * 1e8 + 1) + _FAMILIAR * (word in TALK)
        if skeleton and favour > best.get(skeleton, ("", -1.0))[1]:
            best[skeleton] = (word, favour)
    return best


def _matrix(skeletons: list[str]) -> NDArray[np.int64]:
    """Skeletons as columns of symbol numbers [longest, n], padded with zeros."""
    columns = [[SYMBOLS.index(symbol) for symbol in skeleton] for skeleton in skeletons]
    return np.array(list(zip_longest(*columns, fillvalue=0)))


def _distances(skeleton: str, codes: NDArray[np.int64], lengths: NDArray[np.int64]) -> Costs:
    """Weighted edit distance of one skeleton to each column of `codes`: all columns advance in step."""
    gaps = _GAPS[codes]
    row = np.concatenate([np.zeros((1, codes.shape[1]), np.float32), gaps.cumsum(axis=0, dtype=np.float32)])
    for symbol in map(SYMBOLS.index, skeleton):
        swaps = _SWAPS[symbol][codes]
        above = row + _GAPS[symbol]
        above[1:] = np.minimum(above[1:], row[:-1] + swaps)
        for place in range(len(gaps)):
            np.minimum(above[place + 1], above[place] + gaps[place], out=above[place + 1])
        row = above
    distances: Costs = row[lengths, np.arange(codes.shape[1])]
    return distances


def _swap_costs() -> Costs:
    """What it costs to read one symbol for another [symbol, symbol]."""
    alike = {frozenset(pair) for pair in _PAIRS_ALIKE.split()}
    return np.array([[_swap_cost(a, b, alike) for b in SYMBOLS] for a in SYMBOLS], np.float32)


def _swap_cost(a: str, b: str, alike: set[frozenset[str]]) -> float:
    pair = {a, b}
    if a == b or ("Y" in pair and pair <= set("YyIE")):
        return 0.0
    if pair <= set("yIE"):
        return _SAME_VOWEL
    if pair <= set("ayvIEY") or pair == set("ah"):  # a last h is often how Urdu writes a long a
        return _VOWEL_FOR_VOWEL
    return _ALIKE if frozenset(pair) in alike else 1.0


_GAPS: Final = np.array([_WEAK_GAP if symbol in _WEAK else 1.0 for symbol in SYMBOLS], np.float32)
_SWAPS: Final = _swap_costs()
