"""What the address of a call asks for."""

import pytest

from actors.messages.caller import Chose, Sought
from web import endpoint


@pytest.mark.parametrize(
    ("query", "wish"),
    [
        ({}, None),
        ({"language": "Hindi"}, None),
        ({"astrologer_id": "tina"}, Chose("tina")),
        ({"astrologer_id": ""}, None),
        ({"match": "marriage"}, Sought("marriage")),
        ({"match": "marriage", "language": "Hindi"}, Sought("marriage", "Hindi")),
        ({"match": "marriage", "language": ""}, Sought("marriage")),
        ({"match": "marriage", "astrologer_id": ""}, Sought("marriage")),
        ({"match": "marriage", "astrologer_id": "tina"}, Chose("tina")),
        ({"match": ""}, Sought("")),
    ],
)
def test_whom_an_address_asks_for(query: dict[str, str], wish: Chose | Sought | None) -> None:
    """A persona goes before words, in a language if one is given."""
    assert endpoint._wish(query) == wish
