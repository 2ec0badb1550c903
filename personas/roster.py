"""An index of all personas by field and by opening hours. Sets of personas are ints: bit n stands for the n-th."""

import datetime
from collections import defaultdict
from collections.abc import Iterable
from itertools import compress

from personas.availability import Availability
from personas.languages import code_of
from personas.persona import Persona

_MINUTE = datetime.timedelta(minutes=1)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_BITS = bytes.maketrans(b"01", b"\x00\x01")


class Roster:
    """The personas of a catalogue, in the order of the file. Every method returns a set, to be combined with `&`."""

    def __init__(self, personas: Iterable[Persona]) -> None:
        self._everyone = tuple(personas)
        self._by: dict[tuple[str, str], int] = defaultdict(int)
        self._hours: dict[Availability, int] = defaultdict(int)
        self._minute, self._open = -1, 0
        for number, persona in enumerate(self._everyone):
            self._by["language", persona.language_code] |= 1 << number
            for field in ("gender", "speciality", "status"):
                self._by[field, getattr(persona, field).casefold()] |= 1 << number
            if persona.status == "active":
                self._hours[persona.behaviour.availability] |= 1 << number

    def __getitem__(self, number: int) -> Persona:
        """The n-th persona."""
        return self._everyone[number]

    def personas_in(self, who: int) -> tuple[Persona, ...]:
        """The personas of a set, in the order of the file."""
        return tuple(compress(self._everyone, f"{who:b}"[::-1].encode().translate(_BITS)))

    def of(self, field: str, value: str | None) -> int:
        """Those with this gender, speciality or status, compared without case; without a value, all."""
        return self._by.get((field, value.strip().casefold()), 0) if value else self._all

    def speaking(self, language: str | None) -> int:
        """Those who speak a language, given by its English name or ISO 639-1 code; without one, all."""
        if not language:
            return self._all
        codes = {language.strip().casefold(), code_of(language)}
        return sum(self._by.get(("language", code), 0) for code in codes if code)

    def open(self, moment: datetime.datetime | None) -> int:
        """Those active and open at `moment`; without one, all. Cached for a minute, as hours are in whole minutes."""
        if moment is None:
            return self._all
        minute = (moment - _EPOCH) // _MINUTE
        if minute != self._minute:
            self._open = sum(people for hours, people in self._hours.items() if hours.open_at(moment))
            self._minute = minute
        return self._open

    @property
    def _all(self) -> int:
        return (1 << len(self._everyone)) - 1
