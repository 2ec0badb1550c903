"""Who may be put on the line with whom: the places that personas have, counted for all calls of this process."""

from collections import Counter
from collections.abc import Collection, Hashable
from datetime import datetime
from typing import assert_never

from actors.messages.admission import ById, ByWords, Declined, Reserve, Reserved, Wish
from personas import Catalogue, Persona
from schemas import Refused

NOBODY_FITS = (
    "Nobody who takes calls now fits what you look for: see GET /api/astrologers, and send config with an "
    "astrologer_id."
)


class PersonaSlots:
    """It decides which persona a choice gets, so that none has more callers than `max_callers`.

    A call holds a place for each choice that was reserved and not released: for who is on its line, and for who is
    being called. Two of its choices that hold the same persona are one caller. State and arithmetic; the supervisor
    owns it.
    """

    def __init__(self) -> None:
        self._held: dict[Hashable, dict[int, str]] = {}  # of a call, the astrologer_id by choice
        self._callers: Counter[str] = Counter()

    def answer(self, asked: Reserve, catalogue: Catalogue, now: datetime) -> Reserved | Declined:
        """Take a place for this choice with the best who fits it and has one left."""
        try:
            fitting = _fitting(asked.wish, catalogue, now)
        except Refused as refused:
            return Declined(asked.choice, refused.code, refused.message)
        for persona in fitting:
            if self._take(asked.session, asked.choice, persona):
                return Reserved(asked.choice, persona, catalogue.memory)
        full = {one.id for one in catalogue.open(now) if self.full(one)}
        advice = catalogue.advise(fitting[0], now, engaged=full)
        return Declined(asked.choice, "busy", f"{fitting[0].name} is talking to others. {advice}")

    def release(self, call: Hashable, choices: Collection[int]) -> None:
        """The call needs the places of these choices no more."""
        self._hold(call, {choice: id_ for choice, id_ in self._held.get(call, {}).items() if choice not in choices})

    def release_all(self, call: Hashable) -> None:
        """The call is over."""
        self._hold(call, {})

    def full(self, persona: Persona) -> bool:
        """True if nobody else may have this one."""
        most = persona.behaviour.max_callers
        return most is not None and self._callers[persona.id] >= most

    def held(self) -> dict[Hashable, frozenset[str]]:
        """With whom each call has a place, by id."""
        return {call: frozenset(held.values()) for call, held in self._held.items()}

    def _take(self, call: Hashable, choice: int, persona: Persona) -> bool:
        """True if the persona has a place for this choice of the call, which then holds it."""
        held = self._held.get(call, {})
        if persona.id not in held.values() and self.full(persona):
            return False
        self._hold(call, {**held, choice: persona.id})
        return True

    def _hold(self, call: Hashable, held: dict[int, str]) -> None:
        self._callers -= Counter(set(self._held.pop(call, {}).values()))  # who comes to none is not counted any more
        if held:
            self._held[call] = held
            self._callers += Counter(set(held.values()))


def _fitting(wish: Wish, catalogue: Catalogue, now: datetime) -> tuple[Persona, ...]:
    """Who would do and takes calls now, the best first, at least one; raises Refused with the catalogue's codes."""
    match wish:
        case ById(astrologer_id):
            return (catalogue.get(astrologer_id, now),)
        case ByWords(words, language):
            if found := catalogue.fitting(words, language, now):
                return found
            raise Refused("no_persona", NOBODY_FITS)
        case _:
            assert_never(wish)
