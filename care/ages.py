"""How old a caller is, as far as anybody said, and from which age on they count as grown up.

Ages are whole years. What is known of one is a range, because a login may say no more than "over 18".
"""

import datetime
import functools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

ELSEWHERE = "*"
LEAST = 18  # whoever is younger is grown up nowhere


@dataclass(frozen=True, slots=True, repr=False)
class Age:
    """Somebody is at least `least` years old, and younger than `under`, None where nobody said so."""

    least: int = 0
    under: int | None = None

    def minor(self, adult: int) -> bool | None:
        """Whether they are younger than `adult`; None if that is not known."""
        if self.under is not None and self.under <= adult:
            return True
        return False if self.least >= adult else None

    def __repr__(self) -> str:
        """Nothing of it, as an age must not appear in a log."""
        return "Age(...)"


def age_on(born: datetime.date, today: datetime.date) -> int:
    """The age in whole years; who was born on 29 February is a year older on 1 March."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def age_of(years: int) -> Age:
    """The age of somebody who is so many years old, and no more of it than is needed to tell who is grown up where."""
    if years >= highest():
        return Age(highest())
    return Age(years, years + 1) if years >= LEAST else Age(0, LEAST)


def agreed(ages: Iterable[Age]) -> Age | None:
    """What holds of somebody of whom all of these were said, None of none. Where they differ, the youngest counts."""
    said = [*ages]
    if not said:
        return None
    under = min((age.under for age in said if age.under is not None), default=None)
    least = max(age.least for age in said)
    return Age(least if under is None or least < under else 0, under)


def adult_at(country: str | None) -> int:
    """The age from which on a caller of this country (ISO 3166-1 alpha-2) is grown up; 18 where it is not known."""
    known = _by_country()
    return known.get((country or "").upper(), known[ELSEWHERE])


def highest() -> int:
    """The highest of these ages: whoever is as old is grown up everywhere."""
    return max(_by_country().values())


@functools.cache
def _by_country() -> dict[str, int]:
    data = json.loads(files("care").joinpath("ages.json").read_text(encoding="utf-8"))
    return {country: row["adult"] for countries, row in data["countries"].items() for country in countries.split()}
