"""Reads the rows of a file: the personas without a fault, the faults of the others, and warnings."""

import re
from collections.abc import Mapping, Sequence

from personas import tokens
from personas.languages import has_words, wrong_script
from personas.loading.faults import TWICE, CatalogueBroken, Fault
from personas.loading.reader import id_of, read_persona
from personas.loading.shape import defined_shape
from personas.loading.shared import Shared
from personas.persona import Persona
from schemas.explain import Parts, path_of, shown

MOST_FAULTS = 200  # of a file that are reported at once
_MOST_ROWS = 10_000
_MARKUP = re.compile(r"</?[A-Za-z][^<>]{0,100}>|\*\*|__|~~|`|\]\(|^#+ |&[a-z]+;|\*\w[^*]{0,100}\*")


def read_rows(
    rows: Sequence[object], at: Parts, shared: Shared, duplicates: Sequence[Parts], known: Mapping[bytes, Persona]
) -> tuple[list[tuple[Parts, Persona]], list[Fault]]:
    """Read all rows. Returns the personas without a fault, each with the place of its row, and all faults.

    `at` is the place of the rows, `duplicates` the places of keys that an object has twice. A row that is unchanged is
    taken from `known`, by source. Raises CatalogueBroken if there are too many rows.
    """
    if len(rows) > _MOST_ROWS:
        raise CatalogueBroken([Fault(path_of(at), f"has {len(rows)} astrologers; at most {_MOST_ROWS} are read.")])
    good: list[tuple[Parts, Persona]] = []
    faults = [_duplicate_fault(path) for path in duplicates if path[: len(at)] != at or len(path) <= len(at) + 1]
    first: dict[str, str] = {}  # the path of the first row that has this id
    for index, row in enumerate(rows):
        here = (*at, index)
        if len(faults) > MOST_FAULTS and not defined_shape("astrologer").is_valid(row):
            faults.append(Fault(path_of(here), "does not fit."))  # only counted, not reported: to explain it takes time
            continue
        name = id_of(row)
        persona, found = read_persona(row, here, shared, known)
        found += [_duplicate_fault(path, name) for path in duplicates if path[: len(here)] == here]
        if name and first.setdefault(name, path_of(here)) != path_of(here):
            message = f"'{shown(name)}' is taken by {first[name]}. Give each astrologer an id of its own."
            found.append(Fault(path_of((*here, "astrologer_id")), message, name))
        if persona and not found:
            good.append((here, persona))
        faults += found
    return good, faults


def _duplicate_fault(path: Parts, persona: str = "") -> Fault:
    return Fault(path_of(path), TWICE, persona)


def warnings(at: Parts, persona: Persona, shared: Shared) -> list[Fault]:
    """Say what should be improved in a persona that is served nevertheless; `at` is the place of its row."""
    found = []
    if persona.tokens > tokens.LONGEST:
        message = (
            f"makes instructions of some {persona.tokens} tokens; more than {tokens.LONGEST} cost time in every call."
        )
        found.append(Fault(path_of((*at, "system_prompt")), message, persona.id))
    if script := wrong_script(persona.greeting, persona.language_code):
        found.append(Fault(path_of((*at, "greeting")), script, persona.id))
    if not has_words(persona.greeting):
        silent = "has no words: nothing of it can be spoken, and callers only read it. Write what is to be said."
        found.append(Fault(path_of((*at, "greeting")), silent, persona.id))
    if markup := _MARKUP.search(persona.greeting):
        spoken = f"holds the markup '{shown(markup[0])}', which is read out or shown as it is; take it out."
        found.append(Fault(path_of((*at, "greeting")), spoken, persona.id))
    if persona.language_code not in shared.disclosures:
        untold = f"has no words under disclosures: callers are told in English. Add disclosures.{persona.language}."
        found.append(Fault(path_of((*at, "language")), untold, persona.id))
    elif script := wrong_script(persona.disclosure, persona.language_code):
        found.append(Fault(path_of(("disclosures", persona.language)), script, persona.id))
    return found
