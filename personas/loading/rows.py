"""The rows of a file: who has no fault, what is wrong with the others, and what is served all the same."""

from collections.abc import Mapping, Sequence

from personas import tokens
from personas.languages import wrong_script
from personas.loading.check import CatalogueBroken, Fault
from personas.loading.reader import name_of, read_persona
from personas.loading.shape import our_shape
from personas.loading.shared import Shared
from personas.persona import Persona
from schemas.explain import Parts, path_of, shown

MOST_FAULTS = 200  # that are told of a file; who mends these is told the next
_MOST_ROWS = 10_000


def read_rows(
    rows: Sequence[object], at: Parts, shared: Shared, twice: Sequence[Parts], known: Mapping[bytes, Persona]
) -> tuple[list[tuple[Parts, Persona]], list[Fault]]:
    """Everyone without a fault, with their place, and the faults of all others; `twice` are keys written twice.

    Who is `known`, by source, was read before and is not read again. Raises CatalogueBroken when there are too many.
    """
    if len(rows) > _MOST_ROWS:
        raise CatalogueBroken([Fault(path_of(at), f"has {len(rows)} astrologers; at most {_MOST_ROWS} are read.")])
    good: list[tuple[Parts, Persona]] = []
    faults = [_twice(way) for way in twice if way[: len(at)] != at or len(way) <= len(at) + 1]
    first: dict[str, str] = {}
    for index, row in enumerate(rows):
        here = (*at, index)
        if len(faults) > MOST_FAULTS and not our_shape("astrologer").fits(row):
            faults.append(Fault(path_of(here), "does not fit."))  # nobody is told of it: explaining it takes time
            continue
        name = name_of(row)
        persona, found = read_persona(row, here, shared, known)
        found += [_twice(way, name) for way in twice if way[: len(here)] == here]
        if name and first.setdefault(name, path_of(here)) != path_of(here):
            message = f"'{shown(name)}' is taken by {first[name]}. Give each astrologer an id of its own."
            found.append(Fault(path_of((*here, "astrologer_id")), message, name))
        if persona and not found:
            good.append((here, persona))
        faults += found
    return good, faults


def _twice(way: Parts, persona: str = "") -> Fault:
    return Fault(path_of(way), "is written twice in one object. Keep one of the two.", persona)


def warnings(way: Parts, persona: Persona) -> list[Fault]:
    """What is not as it should be with somebody who is served all the same."""
    found = []
    if persona.tokens > tokens.LONGEST:
        message = (
            f"makes instructions of some {persona.tokens} tokens; more than {tokens.LONGEST} cost time in every call."
        )
        found.append(Fault(path_of((*way, "system_prompt")), message, persona.id))
    if script := wrong_script(persona.greeting, persona.language_code):
        found.append(Fault(path_of((*way, "greeting")), script, persona.id))
    return found
