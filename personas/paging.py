"""A list in pieces, by the id after which to go on: it stays true when somebody is added while one reads."""

from collections.abc import Sequence
from dataclasses import dataclass

from personas.persona import Persona


@dataclass(frozen=True, slots=True)
class Page:
    """`after` is the id to ask the next page with; empty on the last. `total` counts all pages."""

    personas: tuple[Persona, ...]
    total: int
    after: str


def page(found: Sequence[Persona], *, after: str = "", limit: int = 50) -> Page:
    """The next of those found, behind the id that is given; behind one that is not among them, from the first."""
    ids = [persona.id for persona in found]
    start = ids.index(after) + 1 if after in ids else 0
    piece = tuple(found[start : start + limit])
    return Page(piece, len(ids), piece[-1].id if start + limit < len(ids) and piece else "")
