"""What the address of a call asks for."""

import pytest

from actors.messages import Chose, Mode, Sought
from web import endpoint


@pytest.mark.parametrize(
    ("query", "wish"),
    [
        ({}, None),
        ({"language": "Hindi"}, None),
        ({"astrologer_id": "tina"}, Chose("tina", "stream")),
        ({"astrologer_id": ""}, None),
        ({"match": "marriage"}, Sought("marriage", None, "stream")),
        ({"match": "marriage", "language": "Hindi"}, Sought("marriage", "Hindi", "stream")),
        ({"match": "marriage", "language": ""}, Sought("marriage", None, "stream")),
        ({"match": "marriage", "astrologer_id": ""}, Sought("marriage", None, "stream")),
        ({"match": "marriage", "astrologer_id": "tina"}, Chose("tina", "stream")),
        ({"match": ""}, Sought("", None, "stream")),
    ],
)
def test_whom_an_address_asks_for(query: dict[str, str], wish: Chose | Sought | None) -> None:
    """A persona goes before words, in a language if one is given."""
    mode: Mode = "stream"
    assert endpoint._wish(query, mode) == wish
