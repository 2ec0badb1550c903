"""The personas: a file of them is read and checked, and becomes a `Catalogue`, an immutable value that is searched."""

from personas.catalogue import Catalogue
from personas.current import CurrentCatalogue
from personas.loading.faults import CatalogueBroken, Fault
from personas.loading.file import SHIPPED
from personas.persona import Persona
from personas.profile import Profile
from personas.search.matching import Match

__all__ = ["SHIPPED", "Catalogue", "CatalogueBroken", "CurrentCatalogue", "Fault", "Match", "Persona", "Profile"]
