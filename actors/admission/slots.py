"""Places with personas: how many calls each has, of all calls of this process."""

from collections import Counter
from collections.abc import Collection, Hashable, Sequence
from datetime import datetime
from typing import assert_never

from actors.admission import minors
from actors.admission.languages import Served
from actors.messages.admission import ById, ByWords, Declined, Reserve, Reserved, Wish
from actors.messages.ids import ChoiceId
from personas import Catalogue, Persona
from schemas import Refused
from upstream.models import Languages

NOBODY_FITS = (
    "Nobody who takes calls now fits what you look for: see GET /api/astrologers, and send config with an "
    "astrologer_id."
)


class PersonaSlots:
    """The slots decide which persona a choice gets, so that no persona has more callers than its `max_callers`.

    A call holds a place for each choice that was reserved and not released: one for the persona on its line, and one
    for the persona that is being called. Choices of one call that hold the same persona count as one caller. State and
    arithmetic; the supervisor owns it. `languages` are those of the model that serves.
    """

    def __init__(self, languages: Languages | None = None) -> None:
        self._served = Served(languages or Languages())
        self._held: dict[Hashable, dict[int, str]] = {}  # of a call, the astrologer_id by choice
        self._callers: Counter[str] = Counter()

    def answer(
        self, asked: Reserve, catalogue: Catalogue, now: datetime, taken: Collection[str] = ()
    ) -> Reserved | Declined:
        """Reserve a place with the best persona that fits the wish and has one left, at this moment `now`.

        The places of the personas with these ids (`taken`) are all taken elsewhere.
        """
        try:
            fitting = _fitting(asked.wish, catalogue, now)
        except Refused as refused:
            return Declined(asked.choice, refused.code, refused.message)
        for persona in filter(self._served.speaks, fitting):
            if persona.id not in taken and self._take(asked.session, asked.choice, persona):
                return Reserved(asked.choice, persona, catalogue.memory)
        return self._declined(asked, fitting, catalogue, now, taken)

    def _declined(
        self,
        asked: Reserve,
        fitting: Sequence[Persona],
        catalogue: Catalogue,
        now: datetime,
        taken: Collection[str],
    ) -> Declined:
        """None of these personas can be had: all are talking to others, or the model cannot speak their language."""
        choice = asked.choice
        spoken = [persona for persona in fitting if self._served.speaks(persona)]
        persona = (spoken or fitting)[0]
        engaged = {one.id for one in catalogue.open(now) if self.full(one) or not self._served.speaks(one)}
        engaged |= minors.barred(asked.wish, catalogue).union(taken)
        advice = catalogue.advise(persona, now, engaged=engaged)
        if refusal := self._served.refusal(persona):
            return Declined(choice, "language_not_served", f"{refusal} {advice}")
        return Declined(choice, "busy", f"{persona.name} is talking to others. {advice}")

    def release(self, call: Hashable, choices: Collection[int]) -> None:
        """Release the places of these choices of the call; a choice without a place is passed over."""
        self._hold(call, {choice: id_ for choice, id_ in self._held.get(call, {}).items() if choice not in choices})

    def release_all(self, call: Hashable) -> None:
        """The call is over: release all its places."""
        self._hold(call, {})

    def full(self, persona: Persona) -> bool:
        """True if the persona has as many callers as it may."""
        most = persona.behaviour.max_callers
        return most is not None and self._callers[persona.id] >= most

    def of(self, call: Hashable) -> frozenset[str]:
        """The ids of the personas with whom this call has a place."""
        return frozenset(self._held.get(call, {}).values())

    def held(self) -> dict[Hashable, frozenset[str]]:
        """The ids of the personas with whom each call has a place."""
        return {call: frozenset(held.values()) for call, held in self._held.items()}

    def _take(self, call: Hashable, choice: ChoiceId, persona: Persona) -> bool:
        """Take a place with this persona; False if it has none left, and the call holds none."""
        held = self._held.get(call, {})
        if persona.id not in held.values() and self.full(persona):
            return False
        self._hold(call, {**held, choice: persona.id})
        return True

    def _hold(self, call: Hashable, held: dict[int, str]) -> None:
        self._callers -= Counter(set(self._held.pop(call, {}).values()))  # `-=` drops who comes to zero
        if held:
            self._held[call] = held
            self._callers += Counter(set(held.values()))


def _fitting(wish: Wish, catalogue: Catalogue, now: datetime) -> tuple[Persona, ...]:
    """One persona or more that fit and take calls now, the best first.

    Raises Refused: no_persona, not_for_minors, or as `get`.
    """
    barred = minors.barred(wish, catalogue)
    match wish:
        case ById(astrologer_id):
            return minors.allowed((catalogue.get(astrologer_id, now, engaged=barred),), barred, catalogue, now)
        case ByWords(words, language, among):
            found = catalogue.match_all(words, language, now)
            if found := tuple(one for one in found if among is None or one.id in among):
                return minors.allowed(found, barred, catalogue, now)
            raise Refused("no_persona", NOBODY_FITS)
        case _:
            assert_never(wish)
