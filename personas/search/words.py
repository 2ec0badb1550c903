"""Words as callers write them: one form for each, its stem, and how it sounds in either script."""

import functools
import re
import unicodedata

_KEPT = 65536  # words of some thousands of personas, which an edit reads again


@functools.lru_cache(maxsize=_KEPT)
def words(text: str) -> tuple[str, ...]:
    """Those of a text in the file, kept for the next edit."""
    return split(text)


def split(text: str) -> tuple[str, ...]:
    """Words in lower case. Vowel signs are marks to Unicode, not letters: a regex would break Hindi words apart."""
    folded = plain(text).casefold().replace("\u200c", "").replace("\u200d", "")
    kept = (c if unicodedata.category(c)[0] in "LMN" else " " for c in folded.replace("'s ", " ").replace("’s ", " "))
    # Nukta and candrabindu are written or left out as one likes.
    return tuple("".join(kept).replace("\u093c", "").replace("\u0901", "\u0902").split())


def plain(text: str) -> str:
    """A text without letters that only look otherwise: one such may stand for eighteen."""
    return unicodedata.normalize("NFKC", text)


def script(word: str) -> str:
    """The script of a word's first letter, as Unicode names it: LATIN, DEVANAGARI."""
    return unicodedata.name(word[0], "").partition(" ")[0] if word else ""


# What is left of a word must still say something: पता is no form of पति.
_ENGLISH = re.compile(r"(?<=\w{3})(?:ing|ed|es|s|e)$|(?<=\w{3})s$")
_HINDI = re.compile(r"(?<=[\u0900-\u097f]{3})(?:ियों|ियां|ाओं|ों|ें|ां|ीं|[ािीुूेैोौ])$")


@functools.lru_cache(maxsize=_KEPT)
def stem(word: str) -> str:
    """A word without the ending of its number, case, gender or tense: married is "marri", रिश्तों "रिश्त"."""
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


@functools.lru_cache(maxsize=_KEPT)
def sound(word: str) -> str:
    """How a word sounds, roughly, the same for both scripts: shaadi and शादी are "sdi", Tina and तीना "tina"."""
    letters = "".join(_CONSONANTS.get(c) or _VOWELS.get(c) or (c if c.isascii() else "") for c in word)
    for written, heard in _LATIN:
        letters = letters.replace(written, heard)
    letters = re.sub(r"(?<=[bcdgjkpst])h", "", letters)  # aspiration
    letters = re.sub(r"(.)\1+", r"\1", letters).replace("ai", "e").replace("au", "o").replace("y", "")
    return re.sub(r"a(?!$)", "", letters)  # Devanagari leaves the short a out; a final a is a long one


def one_letter_less(word: str) -> set[str]:
    """The word, and every word that has one letter less: two words with one in common differ by one typing mistake."""
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}
