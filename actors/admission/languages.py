"""Which personas the model that serves can speak and hear; what callers and whoever runs the server are told of it."""

from dataclasses import dataclass

from personas import Persona
from personas.languages import name_of, scripts_of
from upstream.models import Languages


@dataclass(frozen=True, slots=True)
class Served:
    """The languages of the model, applied to personas. It does not know what a persona knows besides its own."""

    by: Languages

    def speaks(self, persona: Persona) -> bool:
        """True if the model can read out what this persona says: by the usual script of its language."""
        usual = scripts_of(persona.language_code)[:1]
        return not (self.by.scripts and usual) or usual[0] in self.by.scripts

    def hears(self, persona: Persona) -> bool:
        """True if the model understands who speaks to this persona in its language."""
        return not self.by.heard or persona.language_code in self.by.heard

    def refusal(self, persona: Persona) -> str | None:
        """Why a caller cannot choose this persona, or None."""
        if self.speaks(persona):
            return None
        return f"{persona.name} speaks {persona.language}; {self.by.of} hears and speaks {self._heard} only."

    def advice(self, persona: Persona) -> str | None:
        """What a caller who has chosen this persona must know: that they can only type. None if they may speak."""
        if self.hears(persona):
            return None
        return f"{_capital(self.by.of)} hears {self._heard} only, not {persona.language}: type to {persona.name}."

    def warning(self, persona: Persona) -> str | None:
        """What the author of a file of personas must know of this one, or None."""
        if not self.speaks(persona):
            return (
                f"is {persona.language}; {self.by.of} hears and speaks {self._heard}. While it answers, nobody can "
                "choose this persona."
            )
        if not self.hears(persona):
            return (
                f"is {persona.language}; {self.by.of} hears {self._heard}, and {persona.language} it can only speak. "
                "While it answers, callers can only type to this persona."
            )
        return None

    @property
    def _heard(self) -> str:
        return " and ".join(map(name_of, self.by.heard))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
