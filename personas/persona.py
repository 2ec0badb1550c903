"""A persona as a call uses it: checked, complete and immutable."""

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
    """One persona. A call uses the same value to its end, even if the file is edited meanwhile.

    `disclosure` says in its language that an AI speaks; `greeting` are its first words after that.

    `voice` is the name in the Realtime API, `voice_id` the name in the file. `features` are the values of the declared
    features, `shown` the names of those that clients may see, `behaviour` the parsed values of those that change what
    the server does. `standing` is the part of the prompt that is the same in every call, `tokens` its estimated size.
    `version` is a short hash of everything, `source` a hash of the row and the shared part that it was read from.
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
    disclosure: str
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
        """True if it is active and within its opening hours. Raises ValueError for a naive datetime."""
        return self.status == "active" and self.behaviour.availability.open_at(moment)

    def instructions(
        self, moment: datetime.datetime, profile: Profile | None = None, *, minor: bool = False, care: str = ""
    ) -> str:
        """The instructions of a call, see personas/prompt.py. Their date is that of `moment` in the persona's zone.

        `minor`: the caller is one; then nothing of a birth is told. `care` is how to go on with a caller in danger.

        The string is interned: it has some 11 KB, and is the same for all callers of a persona on one day.
        """
        today = moment.astimezone(self.behaviour.availability.zone).date()
        if not minor:
            return sys.intern(prompt.build(self.standing, today=today, profile=profile, care=care))
        kept, open_to = profile.without_birth() if profile else None, self.behaviour.open_to_minors
        young = prompt.YOUNG if open_to else prompt.parting(adults_only=self.behaviour.adults_only)
        return prompt.build(self.standing, today=today, profile=kept, young=young, care=care)

    def public(self) -> dict[str, Any]:
        """The fields that clients may see, as JSON data with the names of the file: no prompt and no private feature.

        Do not modify the values: they are not copied, as lists of a thousand personas are requested often.
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
