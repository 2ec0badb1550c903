"""What the address of a call asks for."""

import pytest

from actors.messages.caller import Chose, SearchedPersona
from web import endpoint


@pytest.mark.parametrize(
    ("query", "wish"),
    [
        ({}, None),
        ({"language": "Hindi"}, None),
        ({"astrologer_id": "tina"}, Chose("tina")),
        ({"astrologer_id": ""}, None),
        ({"match": "marriage"}, SearchedPersona("marriage")),
        ({"match": "marriage", "language": "Hindi"}, SearchedPersona("marriage", "Hindi")),
        ({"match": "marriage", "language": ""}, SearchedPersona("marriage")),
        ({"match": "marriage", "astrologer_id": ""}, SearchedPersona("marriage")),
        ({"match": "marriage", "astrologer_id": "tina"}, Chose("tina")),
        ({"match": ""}, SearchedPersona("")),
    ],
)
def test_whom_an_address_asks_for(query: dict[str, str], wish: Chose | SearchedPersona | None) -> None:
    """A persona goes before words, in a language if one is given."""
    assert endpoint._wish(query) == wish
