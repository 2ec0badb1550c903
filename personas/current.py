"""A mutable reference to the catalogue in use. Code reads it for each request; an edit of the file replaces it."""

from dataclasses import dataclass

from personas.catalogue import Catalogue


@dataclass(slots=True)
class CurrentCatalogue:
    """One instance per server. Replacing `catalogue` does not affect those who read it before, as it is a value."""

    catalogue: Catalogue
