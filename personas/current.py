"""Where the catalogue in use lies: whoever needs it takes it from here each time, and an edit replaces it here."""

from dataclasses import dataclass

from personas.catalogue import Catalogue


@dataclass(slots=True)
class CurrentCatalogue:
    """One for a server. What was taken from it before stays as it was: a catalogue is a value."""

    catalogue: Catalogue
