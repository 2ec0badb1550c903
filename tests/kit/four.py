"""The four astrologers who ship, and nobody who was added to their file since: adding a persona breaks no test."""

import json

from personas import SHIPPED, Catalogue, Persona

TINA, MOHIT = "tina_kulkarni_vedic_marriage", "mohit_vedic_marriage"
PRIYANKA, HARSH = "priyanka_vedic_love", "harsh_dubey_vedic_love"
IDS = [TINA, MOHIT, PRIYANKA, HARSH]


def _four(**changes: object) -> Catalogue:
    data = json.loads(SHIPPED.read_bytes())
    rows = {row["astrologer_id"]: {**row, **changes} for row in data["astrologers"]}
    kept = [{name: value for name, value in rows[id_].items() if value is not None} for id_ in IDS]
    return Catalogue.from_data({**data, "astrologers": kept})


def first_words(persona: Persona) -> str:
    """The first greeting of a call, which says that an AI speaks."""
    return f"{persona.disclosure} {persona.greeting}"


FOUR = _four()
FREE = _four(pricing=None)
"""The same, and nobody has a price: no minutes are told."""
