"""Normalises words, so that spellings of one word meet: its plain form, its stem, its sound in Latin and Devanagari."""

import functools
import re
import unicodedata

_CACHED = 65536  # words: those of some thousands of personas, for the next time the file is read


@functools.lru_cache(maxsize=_CACHED)
def words(text: str) -> tuple[str, ...]:
    """As `split`, cached: for texts of the file, which is read again after each edit."""
    return split(text)


def split(text: str) -> tuple[str, ...]:
    r"""Split a text into words in lower case.

    Not by the regex \w+: Devanagari vowel signs are marks, not letters, and would split Hindi words.
    """
    folded = plain(text).casefold().replace("\u200c", "").replace("\u200d", "")
    kept = (c if unicodedata.category(c)[0] in "LMN" else " " for c in folded.replace("'s ", " ").replace("’s ", " "))
    # Nukta and candrabindu are optional in writing.
    return tuple("".join(kept).replace("\u093c", "").replace("\u0901", "\u0902").split())


def plain(text: str) -> str:
    """Normalise compatibility characters (NFKC). Longer than the text: one character may become eighteen."""
    return unicodedata.normalize("NFKC", text)


def script(word: str) -> str:
    """The script of a word's first letter, as in its Unicode name: LATIN, DEVANAGARI."""
    return unicodedata.name(word[0], "").partition(" ")[0] if word else ""


# At least three letters must remain before the ending: पता is no form of पति.
_ENGLISH = re.compile(r"(?<=\w{3})(?:ing|ed|es|s|e)$|(?<=\w{3})s$")
_HINDI = re.compile(r"(?<=[\u0900-\u097f]{3})(?:ियों|ियां|ाओं|ों|ें|ां|ीं|[ािीुूेैोौ])$")


@functools.lru_cache(maxsize=_CACHED)
def stem(word: str) -> str:
    """Remove the ending of number, case, gender or tense: married gives "marri", रिश्तों gives "रिश्त"."""
    if word.isascii():
        return re.sub("y$", "i", _ENGLISH.sub("", word))
    return _HINDI.sub("", word)


_CONSONANTS = dict(
    zip(
        "कखगघङचछजझञटठडढणतथदधनपफबभमयरलवशषसह",
        "kkggnccjjnttddnttddnppbbmyrlvsssh",
        strict=True,
    )
)
_VOWELS = dict(zip("आाइिईीउुऊूएेऐैओोऔौंऋृ", [*"aaiiiiuuuueeeeoooon", "ri", "ri"], strict=True))
_LATIN = (("sh", "s"), ("ch", "c"), ("w", "v"), ("f", "p"), ("ph", "p"), ("z", "j"), ("ee", "i"), ("oo", "u"))


@functools.lru_cache(maxsize=_CACHED)
def phonetic_key(word: str) -> str:
    """A rough phonetic key, equal in both scripts: shaadi and शादी give "sdi", Tina and तीना give "tina".

    A letter that stands there twice counts once, a digit does not: 11 is not 1.
    """
    letters = "".join(_CONSONANTS.get(c) or _VOWELS.get(c) or (c if c.isascii() else "") for c in word)
    for written, heard in _LATIN:
        letters = letters.replace(written, heard)
    letters = re.sub(r"(?<=[bcdgjkpst])h", "", letters)  # aspiration
    letters = re.sub(r"(\D)\1+", r"\1", letters).replace("ai", "e").replace("au", "o").replace("y", "")
    return re.sub(r"a(?!$)", "", letters)  # Devanagari does not write the short a; a final a is long


def deletions(word: str) -> set[str]:
    """The word and all its deletions of one letter. Two words that share one differ by one typing mistake.

    Source: the symmetric delete algorithm of SymSpell.
    """
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}
