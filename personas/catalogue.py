"""The catalogue: all personas of a file, found by id, by fields, by the words of a query, and by opening hours."""

import datetime
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Self

from personas.loading.faults import CatalogueBroken, Fault
from personas.loading.file import SHIPPED, decode, parts_of, read_bytes, with_shipped
from personas.loading.positions import duplicate_keys, located
from personas.loading.reader import id_of
from personas.loading.rows import MOST_FAULTS, read_rows, warnings
from personas.loading.shared import Shared, read_shared
from personas.persona import Persona
from personas.roster import Roster
from personas.search.matching import Index, Match
from schemas import Refused
from schemas.explain import Parts, nearest, path_of

_NAMED = 10  # ids that a refusal lists
_NOBODY: Mapping[bytes, Persona] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Catalogue:
    """An immutable value: the personas without a fault, by id, in the order of the file.

    `faults` are those of the file, `warnings` do not keep a persona from being served. `memory` says which turns of a
    caller a persona is shown: "private" (its own), "shared" (all) or "none". `version` is a short hash of everything.
    `not_for_minors` are the ids of those whom a minor may not call.
    """

    personas: Mapping[str, Persona]
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    memory: str
    version: str
    not_for_minors: frozenset[str]
    _roster: Roster = field(repr=False, compare=False)
    _index: Index = field(repr=False, compare=False)

    @classmethod
    def load(cls, path: Path | str = SHIPPED) -> Self:
        """Read a file. Raises CatalogueBroken if it cannot be read, is not JSON, or has no persona without a fault."""
        return cls.from_bytes(read_bytes(Path(path)))

    @classmethod
    def from_bytes(cls, raw: bytes, known: Iterable[Persona] = ()) -> Self:
        """Read the bytes of a file; faults have lines. A `known` persona whose row is unchanged is used again.

        Raises CatalogueBroken.
        """
        text, data = decode(raw)
        try:
            read = cls._from(data, duplicate_keys(text), {persona.source: persona for persona in known})
        except CatalogueBroken as broken:
            raise CatalogueBroken(located(broken.faults, text)) from None
        return replace(read, faults=located(read.faults, text), warnings=located(read.warnings, text))

    @classmethod
    def from_data(cls, data: object) -> Self:
        """Read decoded JSON: an object as in personas.schema.json, or a list of astrologers. Raises CatalogueBroken."""
        return cls._from(data)

    @classmethod
    def _from(cls, data: object, duplicates: Sequence[Parts] = (), known: Mapping[bytes, Persona] = _NOBODY) -> Self:
        rows, rest, at = parts_of(data)
        shared, faults = read_shared(with_shipped(rest))
        good, found = read_rows(rows, at, shared, duplicates, known)
        faults += found
        if not rows:
            faults.append(Fault(path_of(at), "has no astrologers. Add one."))
        elif good and not any(persona.status == "active" for _, persona in good):
            faults.append(Fault(path_of(at), "has nobody without a fault who is active: set a status to active."))
        if not good:
            raise CatalogueBroken(_first(faults))
        by_id = {persona.id: persona for _, persona in good}
        roster = Roster(by_id.values())
        return cls(
            personas=MappingProxyType(by_id),
            faults=_first(faults),
            warnings=tuple(warning for at, persona in good for warning in warnings(at, persona, shared)),
            memory=shared.memory,
            version=_version(shared, by_id.values()),
            not_for_minors=frozenset(one.id for one in by_id.values() if not one.behaviour.open_to_minors),
            _roster=roster,
            _index=Index(by_id.values(), shared.synonyms, shared.spoken),
        )

    def warn(
        self, doubt: Callable[[Persona], str | None], raw: bytes | None = None, field: str = "language"
    ) -> tuple[Fault, ...]:
        """What `doubt` says of this field of each active persona; with its line if `raw`, the file, is given."""
        found = {persona.id: said for persona in self.active() if (said := doubt(persona))}
        if not found or raw is None:
            return tuple(Fault(field, said, persona) for persona, said in found.items())
        text, data = decode(raw)
        rows, _, at = parts_of(data)
        places = {id_of(row): path_of((*at, index, field)) for index, row in enumerate(rows)}
        return located([Fault(places[persona], said, persona) for persona, said in found.items()], text)

    def get(
        self, astrologer_id: str, moment: datetime.datetime | None = None, *, engaged: Collection[str] = ()
    ) -> Persona:
        """Return the persona with this id, if it is active, and open at `moment` if one is given.

        Raises Refused: unknown_astrologer, inactive_astrologer, closed_now. Of `engaged` none is named instead.
        """
        persona = self.personas.get(astrologer_id)
        if persona is None:
            asked = astrologer_id[:64]
            hint = nearest(asked, self.personas)
            raise Refused(
                "unknown_astrologer", f"There is no astrologer '{asked}'.{hint} {self._others(moment, engaged)}"
            )
        if persona.status != "active":
            reason = f"{persona.name} takes no calls now."
            raise Refused("inactive_astrologer", f"{reason} {self._others(moment, engaged)}")
        if moment and not persona.open_at(moment):
            raise Refused("closed_now", f"{_closed(persona, moment)} {self.advise(persona, moment, engaged=engaged)}")
        return persona

    def advise(self, persona: Persona, moment: datetime.datetime, *, engaged: Collection[str] = ()) -> str:
        """A sentence for a caller who cannot have this persona: whom to choose instead, or to try again later.

        It lists those of the same speciality and language, else all others; `engaged` ids are not listed.
        """
        free = [other for other in self.alternatives_to(persona, moment) if other.id not in engaged]
        anybody = [other for other in self.open(moment) if other.id not in engaged and other.id != persona.id]
        return _choose(free or anybody)

    def all(self) -> tuple[Persona, ...]:
        """All personas, in the order of the file."""
        return tuple(self.personas.values())

    def active(self) -> tuple[Persona, ...]:
        """All active personas, in the order of the file."""
        return self.find(status="active")

    def open(self, moment: datetime.datetime | None = None) -> tuple[Persona, ...]:
        """All active personas that are open at `moment`; without a moment, all active ones."""
        return self.find(moment, status="active")

    def alternatives_to(self, persona: Persona, moment: datetime.datetime) -> tuple[Persona, ...]:
        """All others of the same speciality and language that are active and open at `moment`."""
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
        """All personas with these values, compared without case. A language is an English name or an ISO 639-1 code.

        With a moment, only those that are active and open then.
        """
        who = self._roster.open(moment) & self._roster.speaking(language)
        for name, value in {"gender": gender, "speciality": speciality, "status": status}.items():
            who &= self._roster.of(name, value)
        return self._roster.personas_in(who)

    def match(
        self, query: str, language: str | None = None, limit: int = 3, *, moment: datetime.datetime | None = None
    ) -> tuple[Match, ...]:
        """The best matches for the words of a query, best first; see search/matching.py. Empty if nothing matches.

        Only active personas, and with a moment only those that are open then.
        """
        return self._index.best_matches(query, self._callable(moment, language), limit)

    def match_all(self, query: str, language: str | None, moment: datetime.datetime) -> tuple[Persona, ...]:
        """All personas that match the words of a query and are active and open at `moment`, best first."""
        return self._index.all_matches(query, self._callable(moment, language))

    def _others(self, moment: datetime.datetime | None, engaged: Collection[str]) -> str:
        return _choose([one for one in self.open(moment) if one.id not in engaged])

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


def _first(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """The first faults, and a last one that says how many more there are."""
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
