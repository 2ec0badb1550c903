"""Whether the caller of a call is a minor, as far as is known.

    their token      its word is the last: where it says whether they are grown up, nothing else is asked
    what was told    the profile's birth date, unless that is somebody else's; the youngest age of a user's day counts
    a sign           a child speaks: for this call only, as nobody told an age

A minor has no priced persona and none for adults only, is not remembered, and is spoken to in another tone:
actors/admission/slots.py declines, actors/persona.py does the rest. Nothing of an age is ever logged.
"""

import datetime
from collections.abc import Callable

from actors.messages.identity import Identity
from actors.services import Services
from care.ages import adult_at, age_of, age_on
from personas import Persona, Profile


class CallerAge:
    """State and arithmetic. `now` is the clock of calls."""

    def __init__(self, identity: Identity, services: Services, now: Callable[[], float]) -> None:
        self._identity, self._told, self._counters = identity, services.ages, services.counters
        self._wall, self._now, self._country = services.clock.wall, now, services.caring.country
        self._sign = False
        self.minor = False
        """The caller is a minor; once known, that holds for the rest of the call."""
        self._look()

    def learn(self, profile: Profile | None) -> bool:
        """The caller told this of themselves. True if they are a minor since."""
        if profile and profile.country:
            self._country = profile.country
        if profile and profile.birth_date and profile.birth_of != "other":
            born = datetime.date.fromisoformat(profile.birth_date)
            years = age_on(born, self._wall().astimezone(datetime.UTC).date())
            self._told.tell(self._identity.user, age_of(years), self._now())
        return self._look()

    def suspect(self) -> bool:
        """A child speaks, by the words of the caller (care/signs.py). True if they are a minor since."""
        self._sign = True
        return self._look()

    def bars(self, persona: Persona) -> bool:
        """True if the caller may not talk to this persona, because they are a minor."""
        return self.minor and not persona.behaviour.open_to_minors

    def _look(self) -> bool:
        """Once they are a minor, they are one to the end of the call; True if they are since just now."""
        if self.minor:
            return False
        adult = adult_at(self._country)
        known = self._identity.age.minor(adult) if self._identity.age else None
        if known is None:
            told = self._told.youngest(self._identity.user, self._now())
            known = self._sign or bool(told and told.minor(adult))
        self.minor = known
        self._counters.minors += known
        return known
