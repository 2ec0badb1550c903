"""Tables of letters and words: the sounds of Hindi and Urdu spelling, for ear/devanagari.py and voice/hindi.py."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final


def pairs(table: str) -> dict[str, str]:
    """Parse "a b  c d" to {a: b, c: d}."""
    cells = table.split()
    return dict(zip(cells[::2], cells[1::2], strict=True))


def skeleton_of(word: str, symbols: Mapping[str, str]) -> str:
    """A word in SYMBOLS, one for all letters of equal sound. Letters not in `symbols` (HINDI or URDU) are dropped."""
    letters = unicodedata.normalize("NFD", word) if symbols is HINDI else word
    sounds = "".join(symbols.get(letter, "") for letter in letters).replace("ph", "f")
    sounds = re.sub(r"(.)\1", r"\1", sounds)  # Urdu does not write a consonant twice
    return sounds[:-1] + "I" if sounds.endswith("Y") else sounds


# The symbols of a skeleton: consonants as letters (aspiration is a following h), S for sh, f also for ph; vowels a,
# v (o, u), I (final i), E (final e), Y (an Urdu ye inside a word: y, i or e).
SYMBOLS: Final = "abcdfghjklmnprstvyEISY"
HINDI: Final = pairs(
    """
    क k ख kh ग g घ gh ङ n च c छ ch ज j झ jh ञ n ट t ठ th ड d ढ dh ण n त t थ th द d ध dh न n
    प p फ f ब b भ bh म m य y र r ल l व v श S ष S स s ह h
    ा a ी I ू v े E ै E ो v ौ v ं n ँ n ृ r ॉ a ः h
    अ a आ a इ a ई aI उ a ऊ av ए aE ऐ aE ओ av औ av ऑ a ऋ r
    """
)
URDU: Final = pairs(
    """
    ا a آ a أ a ب b پ p ت t ٹ t ط t ث s س s ص s ج j چ c ح h خ kh ہ h ه h ۂ h
    د d ڈ d ذ j ز j ض j ظ j ژ j ر r ڑ d ش S ع a غ g ف f ق k ک k ك k گ g
    ل l م m ن n ں n و v ی Y ي Y ے E ھ h ؤ v ئ a
    """
)

# Words of the callers' topics: far more frequent in calls than on the web, where the word frequencies come from.
TALK: Final = frozenset(
    """
    शादी विवाह देरी देर प्यार प्रेम रिश्ता रिश्ते रिश्तों कुंडली जन्म तारीख समय नौकरी करियर परिवार प्रस्ताव पति पत्नी
    लड़का लड़की माता पिता भविष्य योग मंगल शुक्र शनि गुरु ग्रह दशा दोष उपाय मांगलिक राशि वापस लौटेगा तलाक संतान
    सेहत पैसा काम धन नमस्ते धन्यवाद करता करती होगी होगा मुझसे मेरी मेरा
    """.split()  # noqa: SIM905  # a list literal would be a line a word
)
# Words whose skeleton is ambiguous, and what is meant.
FIXED: Final[Mapping[str, str]] = {
    "کیا": "क्या",
    "ہے": "है",
    "ہیں": "हैं",
    "ہا": "है",
    "ہن": "हैं",
    "حن": "हैं",
    "ہوں": "हूं",
    "ہون": "हूं",
    "ہو": "हो",
    "یہ": "यह",
    "وہ": "वह",
    "میں": "में",
    "مے": "में",
    "نہیں": "नहीं",
    "نہین": "नहीं",
    "نحین": "नहीं",
    "ہاں": "हां",
    "جی": "जी",
    "کہ": "कि",
    "نہ": "न",
    "کب": "कब",
    "مجھ": "मुझ",
    "کا": "का",
    "کی": "की",
    "کے": "के",
    "کو": "को",
    "سے": "से",
    "پر": "पर",
    "ویوہ": "विवाह",
}
