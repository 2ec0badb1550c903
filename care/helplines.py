"""Whom to call for help: numbers by country and danger, and where they were looked up. Read from helplines.json."""

import functools
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources import files

from care.signs import Kind
from personas.search.words import split

ELSEWHERE = "*"
"""The country of the numbers for countries that are not in the data."""

_DIGITS = {
    word: str(digit)
    for digit, words in enumerate(
        (
            "zero oh shunya शून्य ज़ीरो जीरो",
            "one ek एक वन",
            "two do दो टू",
            "three teen tin तीन थ्री",
            "four char chaar चार फोर",
            "five paanch panch पांच पाँच फाइव",
            "six chhah chhe che छह छः छे सिक्स",
            "seven saat sat सात सेवन",
            "eight aath आठ एट",
            "nine nau नौ नाइन",
        )
    )
    for word in " ".join(split(words)).split()
}
_INDIC = str.maketrans({chr(zero + digit): str(digit) for zero in range(0x966, 0xDE7, 0x80) for digit in range(10)})
_MARKS = re.compile(r"(?<=\d)[-\u2010-\u2013.() ]+(?=\d)")


@dataclass(frozen=True, slots=True)
class Helpline:
    """A number to call. `languages` are ISO 639-1 codes; `confirmed`: a source was seen for it on `day`."""

    name: str
    number: str
    languages: tuple[str, ...]
    day: str
    source: str
    confirmed: bool
    names: tuple[tuple[str, str], ...] = ()
    """(ISO 639-1 code, name): the name in other letters, which a voice of that language reads."""

    def name_in(self, language: str) -> str:
        """The name as a voice of this language reads it, as far as it is known."""
        return dict(self.names).get(language, self.name)

    @property
    def spoken(self) -> str:
        """The number digit by digit, as a voice should read it; an address on the web as it is."""
        digits = re.sub(r"\D", "", self.number)
        return " ".join(digits) if digits and not re.search("[a-z]", self.number) else self.number


def numbers(country: str | None, kind: Kind) -> tuple[Helpline, ...]:
    """The numbers for this danger in a country (ISO 3166-1 alpha-2), the fittest first; never empty.

    An unknown country has those of ELSEWHERE.
    """
    known = _by_country()
    return known.get((country or "").upper(), known[ELSEWHERE])[kind]


def countries() -> tuple[str, ...]:
    """The countries that have numbers of their own."""
    return tuple(sorted(_by_country().keys() - {ELSEWHERE}))


def names_one(text: str, helplines: Collection[Helpline]) -> bool:
    """Whether a text names one of the numbers, in digits or digit by digit in English or Hindi words."""
    if not helplines:
        return False
    words = split(_MARKS.sub("", text.translate(_INDIC)))
    runs = "".join(word if word.isdecimal() else _DIGITS.get(word, " ") for word in words)
    return any(line.spoken.replace(" ", "") in (runs if line.spoken[0].isdigit() else text) for line in helplines)


@functools.cache
def _by_country() -> dict[str, dict[Kind, tuple[Helpline, ...]]]:
    data = json.loads(files("care").joinpath("helplines.json").read_text(encoding="utf-8"))
    known: dict[str, dict[Kind, tuple[Helpline, ...]]] = {}
    for countries, rows in data["countries"].items():
        of_kind: dict[Kind, tuple[Helpline, ...]] = {"suicide": (), "hurt": (), "medical": (), "child": ()}
        for row in rows:
            line = Helpline(
                row["name"],
                row["number"],
                tuple(row["languages"]),
                row.get("day", data["day"]),
                row["source"],
                row["confirmed"],
                tuple(row.get("names", data["names"].get(row["name"], {})).items()),
            )
            of_kind |= {kind: (*lines, line) for kind, lines in of_kind.items() if kind in row["for"]}
        known |= dict.fromkeys(countries.split(), of_kind)
    return known
