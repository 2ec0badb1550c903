"""Folds what people say to one form: Hindi in Devanagari, Hindi in Latin letters in all its spellings, and English.

    "Main jeena nahi chahtaaa"  ─▶ me jina nhi chta
    "मैं जीना नहीं चाहता"          ─▶ me jina nhi chta
    "I don't wanna live"         ─▶ i do not vnt to live

Words are split by personas/search/words.py and reduced to its phonetic key, so that spellings of one word meet. Keys of
two words may be equal ("man" and "mein"): whoever compares folded texts compares several words in a row.
"""

import functools
import re
from collections.abc import Iterator

from personas.search.words import phonetic_key, split

WINDOW = 300
"""Characters that are read at once: 20 s of speech, in about a quarter of a millisecond."""

LONGEST = 20_000
"""Characters of a text that are read: half an hour of speech."""

_OVERLAP = 80  # characters that two windows have in common: a sentence

Folded = tuple[str, ...]

_CACHED = 16_384  # words, of all calls; those of Hindi and English speech are fewer
_LONGEST_WORD = 40  # characters; the rest of a longer one is not read
_DIGITS = str.maketrans({chr(0x966 + digit): str(digit) for digit in range(10)})  # of Devanagari
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ`´", "'"))
_STRETCHED = re.compile(r"(\D)\1{2,}")  # letters and marks: 111 is no stretched 1
_ELIDED = (
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"\bcan't\b"), "can not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'m\b"), " am"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'d\b"), " would"),
    (re.compile(r"'"), ""),
)
_WHOLE = {
    "wanna": "want to",
    "gonna": "going to",
    "gotta": "have to",
    "hafta": "have to",
    "dont": "do not",
    "cant": "can not",
    "cannot": "can not",
    "wont": "will not",
    "doesnt": "does not",
    "didnt": "did not",
    "isnt": "is not",
    "im": "i am",
    "ive": "i have",
    "hes": "he is",
    "shes": "she is",
    "u": "you",
    "ur": "your",
    "lyf": "life",
}
_EXACT = frozenset(
    """
    be they the then them their there these those age ate eat my am an at all as any us our out day say way may
    """.split()  # noqa: SIM905  # a list literal would be a line a word
)  # of English, which would meet words of Hindi: in capitals they do not
_BEATEN = re.compile("^(?:मार|maar)")  # to beat, which must not be folded with to die: मर
_FINAL_NASAL = re.compile("(?<=[^aeiou][aeiou])n$|(?<=[aeiou]{2})n$")
_FUTURE_NASAL = re.compile("(?<=[eou])n(?=g)")  # of the endings -oonga, -enge


def fold(text: str) -> Folded:
    """The words of a text in their folded form, in order."""
    plain = text.translate(_APOSTROPHES).casefold().translate(_DIGITS)
    if "'" in plain:
        for elided, whole in _ELIDED:
            plain = elided.sub(whole, plain)
    words = (whole for word in split(_STRETCHED.sub(r"\1", plain)) for whole in _WHOLE.get(word, word).split())
    return tuple(map(key, words))


def windows(text: str) -> Iterator[str]:
    """Divide a long text into windows that overlap; a short one is one. Of one over LONGEST, the end is read."""
    text = text[-LONGEST:]
    for start in range(0, max(len(text) - _OVERLAP, 1), WINDOW - _OVERLAP):
        yield text[start : start + WINDOW]


@functools.lru_cache(maxsize=_CACHED)
def key(word: str) -> str:
    """The folded form of a word; the word itself if it has no sound that is known, such as one in Tamil letters."""
    if word in _EXACT:
        return word.upper()
    word = word[:_LONGEST_WORD]
    sound = phonetic_key(_BEATEN.sub("mwr", word))
    return _FUTURE_NASAL.sub("", _FINAL_NASAL.sub("", sound)) or word
