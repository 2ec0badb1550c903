"""A persona as a call uses it: checked, resolved, complete, and never changed again."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Persona:
    """Who is on the line. A call keeps the one it chose, whatever becomes of the file meanwhile.

    `voice` is the upstream's name, `voice_id` the name that the file gives; `features` are the values of the declared
    features, `shown` the names of those that clients may see; `standing` is the part of the prompt that no call
    changes; `version` is a short hash of all of it.
    """

    id: str
    name: str
    speciality: str
    language: str
    language_code: str
    gender: str
    voice: str
    voice_id: str
    persona: str
    system_prompt: str = field(repr=False)
    greeting: str
    keywords: tuple[str, ...]
    status: str
    features: Mapping[str, Any] = field(hash=False)
    shown: frozenset[str]
    standing: str = field(default="", repr=False)
    version: str = ""

    def public(self) -> dict[str, Any]:
        """What clients may see, as JSON data under the seed's names: never a prompt, nor a private feature."""
        fixed = {
            "astrologer_id": self.id,
            "name": self.name,
            "speciality": self.speciality,
            "language": self.language,
            "gender": self.gender,
            "voice_id": self.voice_id,
            "persona": self.persona,
            "greeting": self.greeting,
            "expertise_keywords": list(self.keywords),
            "status": self.status,
        }
        shown = {name: value for name, value in self.features.items() if name in self.shown}
        return fixed | copy.deepcopy(shown)
