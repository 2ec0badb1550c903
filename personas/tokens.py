"""How long a prompt is for the model, without its vocabulary, which would have to be downloaded.

The four that ship were counted with o200k_base: English has 4.4 to 4.5 characters to a token, Hindi in Devanagari 3.0
to 3.1. An estimate takes a little less (blanks are ASCII), so that it is rather too high; for any other script, two.
"""

import math
import re

LONGEST = 4_000  # tokens of instructions that nobody is warned of; the model reads them anew in every call

_ASCII, _DEVANAGARI, _OTHER = 4.2, 2.75, 2.0  # characters to a token


def estimate(text: str) -> int:
    """Tokens of a text, rather too many than too few."""
    ascii_ = len(text.encode("ascii", "ignore"))
    devanagari = sum(map(len, re.findall("[\u0900-\u097f]+", text)))
    rest = len(text) - ascii_ - devanagari
    return math.ceil(ascii_ / _ASCII + devanagari / _DEVANAGARI + rest / _OTHER)
