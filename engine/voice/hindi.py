"""Converts Hindi spelling to the phonemes of the voice.

The network was trained on American English, so each Hindi sound is mapped to the nearest English one (the alphabet of
misaki: A is the vowel of "say", O of "go"). Aspiration, retroflexes and nasal vowels are lost. Schwa deletion follows
Ohala, "Aspects of Hindi Phonology".

Libraries are no better. Measured with our ear on 12 sentences by 4 voices, share of wrong characters: a table like
this one 29 %, epitran 31 %, orthography2ipa 34 %, g2p2 40 % (each mapped to these phonemes). The first two are equal
within the error, and epitran needs pandas, 200 MB and 4 s of loading.
"""

import re
import unicodedata
from typing import Final, NamedTuple

from engine.spelling import pairs

_SCHWA: Final = "@"  # an inherent vowel, of which it is not decided yet whether it is spoken
_LONG: Final = frozenset("ɑiuAɛOɔæ")

_CONSONANTS: Final = pairs(
    """
    क k ख k ग ɡ घ ɡ ङ ŋ च ʧ छ ʧ ज ʤ झ ʤ ञ n ट t ठ t ड d ढ d ण n त t थ t द d ध d न n
    प p फ f ब b भ b म m य j र ɹ ल l ळ l व w श ʃ ष ʃ स s ह h
    """
)
_DOTTED: Final = pairs("ज z ड ɹ ढ ɹ")  # with a nukta; the other dotted letters sound like the plain ones
_VOWELS: Final = pairs("अ ʌ आ ɑ इ ɪ ई i उ ʊ ऊ u ए A ऐ ɛ ओ O औ ɔ ऑ ɔ ऋ ɹɪ ऍ æ")
_SIGNS: Final = pairs("ा ɑ ि ɪ ी i ु ʊ ू u े A ै ɛ ो O ौ ɔ ॉ ɔ ृ ɹɪ ॅ æ")
_NUKTA, _VIRAMA, _ANUSVARA, _VISARGA = "़", "्", "ं", "ः"

# Short words that are not pronounced as they are spelled, or are unstressed.
_KNOWN: Final = {
    "है": "hɛ",
    "हैं": "hɛn",
    "में": "mAn",
    "मैं": "mɛn",
    "यह": "jA",
    "वह": "wO",
    "और": "ˈɔɹ",
    "नहीं": "nəhˈin",
    "हूं": "hun",
    "हां": "hɑn",
    "क्या": "kjɑ",
    "कि": "kɪ",
    "जी": "ʤi",
}

# 0 to 99: Hindi has a word of its own for each.
_COUNT: Final = """
शून्य एक दो तीन चार पाँच छह सात आठ नौ दस ग्यारह बारह तेरह चौदह पंद्रह सोलह सत्रह अठारह उन्नीस
बीस इक्कीस बाईस तेईस चौबीस पच्चीस छब्बीस सत्ताईस अट्ठाईस उनतीस
तीस इकतीस बत्तीस तैंतीस चौंतीस पैंतीस छत्तीस सैंतीस अड़तीस उनतालीस
चालीस इकतालीस बयालीस तैंतालीस चवालीस पैंतालीस छियालीस सैंतालीस अड़तालीस उनचास
पचास इक्यावन बावन तिरपन चौवन पचपन छप्पन सत्तावन अट्ठावन उनसठ
साठ इकसठ बासठ तिरसठ चौंसठ पैंसठ छियासठ सड़सठ अड़सठ उनहत्तर
सत्तर इकहत्तर बहत्तर तिहत्तर चौहत्तर पचहत्तर छिहत्तर सतहत्तर अठहत्तर उनासी
अस्सी इक्यासी बयासी तिरासी चौरासी पचासी छियासी सत्तासी अट्ठासी नवासी
नब्बे इक्यानवे बानवे तिरानवे चौरानवे पचानवे छियानवे सत्तानवे अट्ठानवे निन्यानवे
""".split()  # noqa: SIM905  # a list literal would be a line a word
_SCALES: Final = ((10**7, "करोड़"), (10**5, "लाख"), (1000, "हज़ार"), (100, "सौ"))
_TOKEN: Final = re.compile(r"(?P<word>[ऀ-ॣॱ-ॿ‌‍]+)|(?P<number>\d[\d,]*(?:\.\d+)?)|(?P<mark>[.,!?;:—…])|(?P<space>\s+)")


class _Sound(NamedTuple):
    phoneme: str
    vowel: bool


def phonemes(text: str) -> str:
    """The phonemes of a Hindi text (Devanagari, digits, punctuation). Other characters are skipped."""
    said = "".join(_said(token) for token in _TOKEN.finditer(_plain(text)))
    return re.sub(r"\s+([.,!?;:])", r"\1", re.sub(r"\s+", " ", said)).strip()


def number_words(number: int) -> str:
    """A non-negative integer in Hindi words, with hundreds, thousands, lakhs and crores."""
    if number < 100:
        return _COUNT[number]
    size, name = next(scale for scale in _SCALES if number >= scale[0])
    rest = number % size
    return f"{number_words(number // size)} {name}" + (f" {number_words(rest)}" if rest else "")


def _plain(text: str) -> str:
    """One spelling for what can be written in two ways."""
    text = unicodedata.normalize("NFD", text).translate({0x966 + n: str(n) for n in range(10)})
    return re.sub("[।॥]", ".", text).replace("ँ", "ं").replace("%", " प्रतिशत ")


def _said(token: re.Match[str]) -> str:
    match token.lastgroup:
        case "word":
            return _word(token.group())
        case "number":
            return f" {' '.join(_word(_plain(word)) for word in _number(token.group()).split())} "
        case "space":
            return " "
        case _:
            return token.group()


def _number(digits: str) -> str:
    whole, _, decimals = digits.replace(",", "").partition(".")
    if len(whole) > 9 or (whole.startswith("0") and len(whole) > 1):  # a telephone number, not an amount
        return " ".join(_COUNT[int(digit)] for digit in whole)
    after = " ".join(_COUNT[int(digit)] for digit in decimals)
    return f"{number_words(int(whole))} दशमलव {after}" if after else number_words(int(whole))


def _word(word: str) -> str:
    word = word.replace("ज्ञ", "ग्य").strip("‌‍")
    if word in _KNOWN:
        return _KNOWN[word]
    sounds = _without_silent_schwas(_sounds(word))
    return _joined(sounds, _stressed(sounds))


def _sounds(word: str) -> list[_Sound]:
    """The sounds, letter by letter. A consonant has an inherent vowel unless a vowel sign or a virama follows."""
    sounds: list[_Sound] = []
    for letter, after in zip(word, word[1:] + " ", strict=True):
        if letter in _CONSONANTS:
            dotted = _DOTTED if after == _NUKTA else {}
            sounds.append(_Sound(dotted.get(letter, _CONSONANTS[letter]), vowel=False))
        if letter in _CONSONANTS or letter == _NUKTA:
            if after not in _SIGNS and after not in (_VIRAMA, _NUKTA):
                sounds.append(_Sound(_SCHWA, vowel=True))
        elif letter in _VOWELS or letter in _SIGNS:
            sounds.append(_Sound(_VOWELS.get(letter) or _SIGNS[letter], vowel=True))
        elif letter == _ANUSVARA and after in _CONSONANTS:
            sounds.append(_Sound(_nasal_before(_CONSONANTS[after]), vowel=False))
        elif letter == _VISARGA and after == " ":  # inside a word it is silent
            sounds.append(_Sound("h", vowel=False))
    return sounds


def _nasal_before(consonant: str) -> str:
    if consonant in "pbfm":
        return "m"
    return "ŋ" if consonant in "kɡ" else "n"


def _without_silent_schwas(sounds: list[_Sound]) -> list[_Sound]:
    """Delete the final schwa, and, from right to left, each schwa between VC and CV."""
    kept = list(sounds)
    if kept and kept[-1].phoneme == _SCHWA and sum(sound.vowel for sound in kept) > 1:
        kept.pop()
    for at in range(len(kept) - 3, 1, -1):
        around = [sound.vowel for sound in kept[at - 2 : at + 3]]
        if kept[at].phoneme == _SCHWA and around == [True, False, True, False, True]:
            del kept[at]
    return kept


def _stressed(sounds: list[_Sound]) -> int:
    """The index of the stressed vowel: the first long one that is not the last vowel, else the first; -1 if none."""
    vowels = [at for at, sound in enumerate(sounds) if sound.vowel]
    long = (at for at in vowels[:-1] if sounds[at].phoneme[-1] in _LONG)
    return next(long, vowels[0] if vowels else -1)


def _joined(sounds: list[_Sound], stressed: int) -> str:
    word = ""
    for at, (phoneme, vowel) in enumerate(sounds):
        if vowel and at == stressed:
            word += "ˈ" + phoneme.replace(_SCHWA, "ʌ")
        elif vowel or not word.endswith(phoneme):  # English has no double consonants
            word += phoneme.replace(_SCHWA, "ə")
    return word
