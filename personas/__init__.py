"""The personas: a file of them, read, checked, and searched. A catalogue is a value; loading again makes another."""

from personas.catalogue import Catalogue
from personas.current import CurrentCatalogue
from personas.loading.check import CatalogueBroken, Fault
from personas.loading.file import SHIPPED
from personas.persona import Persona
from personas.profile import Profile
from personas.search.matching import Match

__all__ = ["SHIPPED", "Catalogue", "CatalogueBroken", "CurrentCatalogue", "Fault", "Match", "Persona", "Profile"]
