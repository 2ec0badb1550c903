"""Converts Hindi in Urdu letters, as Whisper base writes it, to Devanagari.

Whisper base recognises Hindi well but spells it badly: short vowels are missing, letters of equal sound are confused,
words are joined. Each word is therefore compared with the 30,000 most frequent Hindi words:

1. Both are reduced to a skeleton, one symbol for all letters of equal sound (spelling.py).
2. The weighted edit distance between the skeletons is computed, for all words at once (`_distances`).
3. A word's frequency, and its being a topic of calls, reduces its distance. The word with the lowest one is chosen,
   or two words, if the written word is likely to be two.

Words and frequencies are those of wordfreq (data CC-BY-SA; read from the installed package, not copied).
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

_WEAK: Final = frozenset("ayvnhIEY")  # symbols that are often missing or inserted
_WEAK_GAP: Final = 0.4
_VOWEL_FOR_VOWEL: Final = 0.45
_SAME_VOWEL: Final = 0.25
_ALIKE: Final = 0.6
_PAIRS_ALIKE: Final = "sS kg js jS bv rd td pf cj"

_COMMON: Final = 0.12  # edits by which ten times the frequency reduces the cost
_FAMILIAR: Final = 0.45  # edits by which membership in TALK reduces it
_SURE: Final = -0.1  # cost below which a word is not tried as two
_TOO_FAR: Final = 1.3  # edits beyond which two words do not match
_GLUED: Final = 0.9  # the cost of reading one written word as two

_MARKS: Final = str.maketrans({"،": ",", "؟": "?", "۔": "।"} | {chr(0x6F0 + n): str(n) for n in range(10)})
_WORD: Final = re.compile("[\u0620-\u06d3\u06d5-\u06ef]+")
_SEAM: Final = re.compile("(?<=[\u0620-\u06ef])(?=[A-Za-z])")  # a change of script within a word
_VOWEL_POINTS: Final = re.compile("[\u064b-\u065f\u0670]")

Costs = NDArray[np.float32]


class Devanagari:
    """Converts Urdu letters to Hindi words. Building its index takes about half a second."""

    def __init__(self) -> None:
        best = _likeliest_by_skeleton()
        self._words = [word for word, _ in best.values()]
        self._favour = np.array([favour for _, favour in best.values()], np.float32)
        self._lengths = np.array([len(skeleton) for skeleton in best])
        self._codes = _matrix(list(best))
        self._read = lru_cache(maxsize=20_000)(self._read_word)

    def text(self, heard: str) -> str:
        """Convert a transcript to Devanagari. Words in other letters are not changed."""
        plain = _SEAM.sub(" ", _VOWEL_POINTS.sub("", heard))
        read = _WORD.sub(lambda match: self._read(match.group()), plain).translate(_MARKS)
        # Urdu spells "in" and "I" alike; at the beginning of a sentence it is "I".
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
        """(cost, Hindi word). If no word is near enough, the word itself with a cost higher than all others."""
        skeleton = skeleton_of(word, URDU)
        rows = np.flatnonzero(np.abs(self._lengths - len(skeleton)) <= 2)
        edits = _distances(skeleton, self._codes[:, rows], self._lengths[rows])
        costs = np.where(edits <= _TOO_FAR, edits - self._favour[rows], np.inf)
        best = int(costs.argmin())
        return (float(costs[best]), self._words[rows[best]]) if np.isfinite(costs[best]) else (9.0, word)


def _likeliest_by_skeleton() -> dict[str, tuple[str, float]]:
    """Skeleton -> (the most probable Hindi word with it, by how many edits its frequency reduces the cost)."""
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
    """The weighted edit distance of one skeleton to each column of `codes`, [n]; all columns are computed together."""
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
    """The cost of substituting one symbol for another, [symbol, symbol]."""
    alike = {frozenset(pair) for pair in _PAIRS_ALIKE.split()}
    return np.array([[_swap_cost(a, b, alike) for b in SYMBOLS] for a in SYMBOLS], np.float32)


def _swap_cost(a: str, b: str, alike: set[frozenset[str]]) -> float:
    pair = {a, b}
    if a == b or ("Y" in pair and pair <= set("YyIE")):
        return 0.0
    if pair <= set("yIE"):
        return _SAME_VOWEL
    if pair <= set("ayvIEY") or pair == set("ah"):  # Urdu often writes a final long a as h
        return _VOWEL_FOR_VOWEL
    return _ALIKE if frozenset(pair) in alike else 1.0


_GAPS: Final = np.array([_WEAK_GAP if symbol in _WEAK else 1.0 for symbol in SYMBOLS], np.float32)
_SWAPS: Final = _swap_costs()
