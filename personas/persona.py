"""A persona as a call uses it: checked, resolved, complete, and never changed again."""

import datetime
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from personas import prompt
from personas.behaviour import Behaviour
from personas.profile import Profile


@dataclass(frozen=True, slots=True)
class Persona:
    """Who is on the line. A call keeps the one it chose, whatever becomes of the file meanwhile.

    `voice` is the upstream's name, `voice_id` the name that the file gives; `features` are the values of the declared
    features, `behaviour` what they make it do, `shown` the names of those that clients may see; `standing` is the part
    of the prompt that no call changes, of some `tokens`; `version` is a short hash of all of it, `source` a hash of all
    that it was read from.
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
    features: Mapping[str, Any] = field(hash=False, repr=False)
    behaviour: Behaviour = field(repr=False)
    shown: frozenset[str]
    standing: str = field(default="", repr=False)
    tokens: int = 0
    version: str = ""
    source: bytes = field(default=b"", repr=False)

    def open_at(self, moment: datetime.datetime) -> bool:
        """Whether a call that comes at this moment is taken: active, and within its hours."""
        return self.status == "active" and self.behaviour.availability.open_at(moment)

    def instructions(self, moment: datetime.datetime, profile: Profile | None = None) -> str:
        """The prompt of a call, see personas/prompt.py. Its date is that of the moment in the zone of the hours.

        Interned: it is some 11 KB, and all callers of a persona on a day hold the same.
        """
        today = moment.astimezone(self.behaviour.availability.zone).date()
        return sys.intern(prompt.build(self.standing, today=today, profile=profile))

    def public(self) -> dict[str, Any]:
        """What clients may see, as JSON data under the seed's names: never a prompt, nor a private feature.

        Values within are the persona's own, to be read only: a list of a thousand is asked for again and again.
        """
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
        return fixed | {name: value for name, value in self.features.items() if name in self.shown}
