"""Valid rows of a personas file; each test changes the fields that it is about."""

from typing import Any

import pytest

from personas import Catalogue, CatalogueBroken, Fault
from tests.personas.rows import Make, Read, Row


@pytest.fixture
def row() -> Make:
    """Make a row without a fault. A keyword argument replaces a field; None removes it."""

    def make(**changes: Any) -> Row:
        fields = {
            "astrologer_id": "asha_vedic_love",
            "name": "Asha",
            "speciality": "Vedic Love",
            "language": "English",
            "gender": "Female",
            "voice_id": "nova",
            "persona": "A test persona",
            "system_prompt": "You are Asha.",
            "greeting": "Namaste, this is Asha.",
            "expertise_keywords": ["love", "प्यार"],
            "status": "active",
        }
        return {name: value for name, value in (fields | changes).items() if value is not None}

    return make


@pytest.fixture
def faults() -> Read:
    """Read data and return its faults, whether or not any row is valid."""

    def read(data: object) -> tuple[Fault, ...]:
        try:
            return Catalogue.from_data(data).faults
        except CatalogueBroken as broken:
            return broken.faults

    return read
