"""The caller's profile (name, birth data): checked once, given to the model as data, and never logged."""

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import regex

from personas.countries import is_country
from schemas import Refused
from schemas.explain import first_of, nearest

_LONGEST = {"name": 80, "gender": 40, "birth_place": 100}  # characters
_CHECKED = 101  # characters that are searched for hidden ones; a longer text is refused for its length
_LONGEST_NAME = 40  # characters of a field's name that are repeated in a message
_EARLIEST = datetime.date(1900, 1, 1)
_HIDDEN = regex.compile(r"[[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]--[\u200c\u200d]]", regex.V1)
# A colon, and the characters that NFKC maps to one. It is allowed between digits, as in 10:30.
_COLON = re.compile("(?<!\\d)[:\ufe13\ufe55\uff1a]|[:\ufe13\ufe55\uff1a](?!\\d)")
_SECONDS = re.compile(r"(\d\d:\d\d):[0-5]\d(?:\.\d{1,9})?", re.ASCII)
_LABELS = {
    "name": "Name",
    "gender": "Gender",
    "birth_date": "Birth date",
    "birth_time": "Birth time",
    "birth_place": "Birth place",
    "birth_of": "Birth data",
    "country": "Country",
}
_WHOSE = {"caller": "", "other": "of somebody of whom the caller asks, not of the caller"}


@dataclass(frozen=True, slots=True, repr=False)
class Profile:
    """The fields of a profile; empty if not given. Dates are like 1990-05-31, times like 07:45, countries like IN.

    `birth_of` is whose the birth data are: "caller", which is meant where nothing is said, or "other".
    """

    name: str = ""
    gender: str = ""
    birth_date: str = ""
    birth_time: str = ""
    birth_place: str = ""
    birth_of: str = ""
    country: str = ""

    @classmethod
    def read(cls, told: Mapping[str, Any], *, today: datetime.date) -> "Profile":
        """Check the profile that an app sent. Raises Refused (bad_message); its text has eight faults and no value."""
        known = {name: text for name in _LABELS if (text := _usual(name, told.get(name))) not in (None, "")}
        sent = (name for name, value in told.items() if name in known or (name not in _LABELS and value is not None))
        faults = ((name, _fault(name, known.get(name), today)) for name in sent)
        if found := first_of(f"{name[:_LONGEST_NAME]} {fault}" for name, fault in faults if fault):
            names = "" if told.keys() <= _LABELS.keys() else f" Known: {', '.join(_LABELS)}."
            raise Refused("bad_message", f"In the profile: {found}{names}")
        return cls(**{name: " ".join(value.split()) for name, value in known.items()})

    def lines(self) -> str:
        """The lines for the prompt: "Label: value" for each field that was given."""
        said = {label: _one_line(getattr(self, name)) for name, label in _LABELS.items()}
        said[_LABELS["birth_of"]] = _WHOSE.get(self.birth_of, "")
        return "\n".join(f"{label}: {value}" for label, value in said.items() if value)

    def without_birth(self) -> "Profile":
        """The same without any birth data."""
        return Profile(self.name, self.gender, country=self.country)

    def __repr__(self) -> str:
        """Only the names of the fields that were given, as values must not appear in a log."""
        return f"Profile({', '.join(field.name for field in fields(self) if getattr(self, field.name))})"


def _usual(name: str, value: Any) -> Any:
    """The text without blanks at its ends, and a time without its seconds: forms and databases write 07:45:00."""
    if not isinstance(value, str):
        return value
    text = value.strip(" ")
    timed = _SECONDS.fullmatch(text) if name == "birth_time" else None
    return timed[1] if timed else text


def _fault(name: str, value: object, today: datetime.date) -> str | None:
    if name not in _LABELS:
        return f"is not a known field.{nearest(name[:_LONGEST_NAME], _LABELS)}"
    if not isinstance(value, str):
        return "must be text."
    if _HIDDEN.search(value[:_CHECKED]):
        return "must be one line, without hidden characters."
    match name:
        case "birth_date":
            return _date_fault(value, today)
        case "birth_time":
            return None if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value, re.ASCII) else _NO_TIME
        case "birth_of":
            return None if value in _WHOSE else f"must be {' or '.join(_WHOSE)}."
        case "country":
            return None if is_country(value) else _NO_COUNTRY
    return f"must have at most {_LONGEST[name]} characters." if len(value) > _LONGEST[name] else None


_NO_TIME = "must be a time of the day such as 07:45 or 19:30."
_NO_COUNTRY = "must be a country in two letters (ISO 3166), such as IN."
_NO_DATE = "must be a day that exists, such as 1990-05-31."


def _date_fault(text: str, today: datetime.date) -> str | None:
    try:
        day = datetime.date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) else None
    except ValueError:
        day = None
    if day is None:
        return _NO_DATE
    return None if _EARLIEST <= day <= today else f"must lie between {_EARLIEST} and today."


def _one_line(text: str) -> str:
    """Neutralise a text of a caller: one line, no hidden characters, and no colon that could end a label."""
    calm = _COLON.sub(" ", _HIDDEN.sub(" ", text))
    return " ".join(calm.split())[:100].strip()
