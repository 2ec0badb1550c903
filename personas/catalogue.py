"""A catalogue: everyone who can be called, found by id, by fields, by a caller's words, and by a moment. A value."""

import datetime
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Self

from personas.loading.check import CatalogueBroken, Fault
from personas.loading.file import SHIPPED, decode, parts_of, read_bytes, with_shipped
from personas.loading.positions import located, written_twice
from personas.loading.rows import MOST_FAULTS, read_rows, warnings
from personas.loading.shared import Shared, share
from personas.persona import Persona
from personas.roster import Roster
from personas.search.matching import Index, Match
from schemas import Refused
from schemas.explain import Parts, nearest, path_of

_NAMED = 10  # ids that a refusal names
_NOBODY: Mapping[bytes, Persona] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everyone in a file who has no fault, by id in the file's order.

    `faults` are what is wrong in the file, `warnings` what is served all the same; `memory` is what a persona knows of
    a caller's turns with others: "private", "shared" or "none"; `version` is a short hash of all of it.
    """

    personas: Mapping[str, Persona]
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    memory: str
    version: str
    _roster: Roster = field(repr=False, compare=False)
    _index: Index = field(repr=False, compare=False)

    @classmethod
    def load(cls, path: Path | str = SHIPPED) -> Self:
        """Read a file; raises CatalogueBroken if it cannot be read, is not JSON, or holds nobody without a fault."""
        return cls.from_bytes(read_bytes(Path(path)))

    @classmethod
    def from_bytes(cls, raw: bytes, known: Iterable[Persona] = ()) -> Self:
        """The same from what is in a file; faults have lines. Who is known, and still the same, is taken over."""
        text, data = decode(raw)
        try:
            read = cls._from(data, written_twice(text), {persona.source: persona for persona in known})
        except CatalogueBroken as broken:
            raise CatalogueBroken(located(broken.faults, text)) from None
        return replace(read, faults=located(read.faults, text), warnings=located(read.warnings, text))

    @classmethod
    def from_data(cls, data: object) -> Self:
        """The same from decoded JSON: an object as personas.schema.json has it, or a bare list of astrologers."""
        return cls._from(data)

    @classmethod
    def _from(cls, data: object, twice: Sequence[Parts] = (), known: Mapping[bytes, Persona] = _NOBODY) -> Self:
        rows, rest, at = parts_of(data)
        shared, faults = share(with_shipped(rest))
        good, found = read_rows(rows, at, shared, twice, known)
        faults += found
        if not rows:
            faults.append(Fault(path_of(at), "has no astrologers. Add one."))
        elif good and not any(persona.status == "active" for _, persona in good):
            faults.append(Fault(path_of(at), "has nobody without a fault who is active: set a status to active."))
        if not good:
            raise CatalogueBroken(_told(faults))
        by_id = {persona.id: persona for _, persona in good}
        roster = Roster(by_id.values())
        return cls(
            personas=MappingProxyType(by_id),
            faults=_told(faults),
            warnings=tuple(warning for way, persona in good for warning in warnings(way, persona)),
            memory=shared.memory,
            version=_version(shared, by_id.values()),
            _roster=roster,
            _index=Index(by_id.values(), shared.synonyms, shared.spoken),
        )

    def get(self, astrologer_id: str, moment: datetime.datetime | None = None) -> Persona:
        """The persona of this id, if it is active, and open at the moment given.

        Raises Refused: unknown_astrologer, inactive_astrologer, closed_now.
        """
        persona = self.personas.get(astrologer_id)
        if persona is None:
            asked = astrologer_id[:64]
            hint = nearest(asked, self.personas)
            raise Refused("unknown_astrologer", f"There is no astrologer '{asked}'.{hint} {_choose(self.open(moment))}")
        if persona.status != "active":
            raise Refused("inactive_astrologer", f"{persona.name} takes no calls now. {_choose(self.open(moment))}")
        if moment and not persona.open_at(moment):
            raise Refused("closed_now", f"{_closed(persona, moment)} {self.advise(persona, moment)}")
        return persona

    def advise(self, persona: Persona, moment: datetime.datetime, *, engaged: Collection[str] = ()) -> str:
        """What to do when this one cannot be had: whom to choose, like them if there is anybody, or to try later.

        Who is `engaged`, by id, is not named.
        """
        free = [other for other in self.instead_of(persona, moment) if other.id not in engaged]
        anybody = [other for other in self.open(moment) if other.id not in engaged and other.id != persona.id]
        return _choose(free or anybody)

    def all(self) -> tuple[Persona, ...]:
        """Everyone, in the file's order."""
        return tuple(self.personas.values())

    def active(self) -> tuple[Persona, ...]:
        """Everyone who can be called, in the file's order."""
        return self.find(status="active")

    def open(self, moment: datetime.datetime | None = None) -> tuple[Persona, ...]:
        """Everyone who takes a call at this moment; without one, everyone active."""
        return self.find(moment, status="active")

    def instead_of(self, persona: Persona, moment: datetime.datetime) -> tuple[Persona, ...]:
        """Everyone else of the same speciality and language who takes a call at this moment."""
        alike = self.find(moment, language=persona.language_code, speciality=persona.speciality)
        return tuple(other for other in alike if other.id != persona.id)

    def find(
        self,
        moment: datetime.datetime | None = None,
        /,
        *,
        language: str | None = None,
        gender: str | None = None,
        speciality: str | None = None,
        status: str | None = None,
    ) -> tuple[Persona, ...]:
        """Everyone who fits all that is given, in any case; a language is an English name or an ISO 639-1 code.

        With a moment, only who is active and open then.
        """
        who = self._roster.open(moment) & self._roster.speaking(language)
        for name, value in {"gender": gender, "speciality": speciality, "status": status}.items():
            who &= self._roster.of(name, value)
        return self._roster.people(who)

    def match(
        self, query: str, language: str | None = None, limit: int = 3, *, moment: datetime.datetime | None = None
    ) -> tuple[Match, ...]:
        """The personas that a caller's words speak of, best first; empty when they speak of none.

        Only who is active, and with a moment only who is open then.
        """
        return self._index.best(query, self._callable(moment, language), limit)

    def fitting(self, query: str, language: str | None, moment: datetime.datetime) -> tuple[Persona, ...]:
        """All whom a caller's words speak of and who take a call at this moment, best first."""
        return self._index.everyone(query, self._callable(moment, language))

    def _callable(self, moment: datetime.datetime | None, language: str | None) -> int:
        roster = self._roster
        return roster.open(moment) & roster.speaking(language) & roster.of("status", "active")


def _choose(personas: Collection[Persona]) -> str:
    ids = [persona.id for persona in personas]
    if not ids:
        return "Nobody takes calls now; try again later."
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return f"Choose one of: {', '.join(ids[:_NAMED])}{more}."


def _closed(persona: Persona, moment: datetime.datetime) -> str:
    opens = persona.behaviour.availability.opens_next(moment)
    return f"{persona.name} takes calls again from {opens:%Y-%m-%d %H:%M} ({opens.tzinfo})."


def _told(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """As many as somebody mends in one go."""
    if len(faults) <= MOST_FAULTS:
        return tuple(faults)
    more = Fault(
        "$", f"has at least {len(faults) - MOST_FAULTS} more faults, which are told when the others are mended."
    )
    return (*faults[:MOST_FAULTS], more)


def _version(shared: Shared, personas: Iterable[Persona]) -> str:
    seen = hashlib.sha256(shared.source)
    for persona in personas:
        seen.update(persona.source)
    return seen.hexdigest()[:16]
