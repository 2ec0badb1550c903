"""The query of a list of personas: filters, and the page."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from aiohttp import web

from personas import Catalogue, Persona
from personas.languages import code_of, unknown_language
from schemas import Refused, read

MOST_ROWS = 1_000  # on a page

_SCHEMA = read("personas")["$defs"]
_CHOICES: Mapping[str, list[str]] = {
    "gender": _SCHEMA["gender"]["enum"],
    "status": _SCHEMA["astrologer"]["properties"]["status"]["enum"],
    "open": ["true"],
}
_FILTERS = ("language", "gender", "speciality", "status")


@dataclass(frozen=True, slots=True)
class Page:
    """`after` is the `after` of the next page; empty on the last. `total` is the number of personas on all pages."""

    personas: tuple[Persona, ...]
    total: int
    after: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A query for at most `limit` personas after the id `after` that match `filters` and, if `open`, take calls now."""

    filters: Mapping[str, str]
    open: bool
    limit: int
    after: str

    @classmethod
    def read(cls, request: web.Request) -> Self:
        """The query of a request; empty parameters count as absent. Raises Refused: bad_message."""
        given = {name: _once(request, name) for name in (*_FILTERS, "open", "limit", "after")}
        for name, choices in _CHOICES.items():
            if given[name] and given[name].strip().casefold() not in map(str.casefold, choices):
                raise Refused("bad_message", f"{name}: send {' or '.join(choices)}, or leave it out.")
        check_language(given["language"])
        limit = given["limit"] or str(MOST_ROWS)
        if not re.fullmatch("[1-9][0-9]{0,3}", limit) or int(limit) > MOST_ROWS:
            raise Refused("bad_message", f"limit: send a whole number from 1 to {MOST_ROWS}.")
        filters = {name: given[name] for name in _FILTERS}
        return cls(filters, bool(given["open"]), int(limit), given["after"])

    def page(self, catalogue: Catalogue, now: datetime) -> Page:
        """The page, in the file's order; raises Refused: unknown_astrologer, if there is no persona `after` any more.

        That persona need not match the filters: their hours may have ended since the page before.
        """
        ids = [*catalogue.personas]
        if self.after and self.after not in ids:
            raise Refused("unknown_astrologer", "after: nobody has this id any more; begin again without it.")
        passed = {*ids[: ids.index(self.after) + 1]} if self.after else ()
        found = catalogue.find(now if self.open else None, **self.filters)
        rest = [persona for persona in found if persona.id not in passed]
        page = tuple(rest[: self.limit])
        return Page(page, len(found), page[-1].id if len(rest) > len(page) else "")


def check_language(language: str) -> None:
    """Raises Refused: bad_message, unless this is the English name of a language, a two-letter code, or empty."""
    if not re.fullmatch("([a-zA-Z]{2})?", language.strip()) and code_of(language) is None:
        raise Refused("bad_message", f"language: {unknown_language(language)}")


def _once(request: web.Request, name: str) -> str:
    values = request.query.getall(name, [])
    if len(values) > 1:
        raise Refused("bad_message", f"{name}: send it once.")
    return values[0] if values and values[0].strip() else ""
