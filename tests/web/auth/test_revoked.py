"""The list of those who may not come in any more."""

import pytest

from web.auth.revoked import Revoked, read_revoked


def test_users_and_tokens() -> None:
    """Either may be left out; users are compared as in addresses."""
    assert read_revoked(b'{"sub": ["Zoe\\u0301"], "jti": ["7"]}') == Revoked(frozenset(["Zo\u00e9"]), frozenset(["7"]))
    assert read_revoked(b"{}") == Revoked()


@pytest.mark.parametrize("said", [b"", b"[]", b'{"users": []}', b'{"sub": "u"}', b'{"sub": [7]}', b'{"sub": ["a b"]}'])
def test_what_is_no_list(said: bytes) -> None:
    """A mistake would let somebody in."""
    with pytest.raises(ValueError):  # noqa: PT011  # of several kinds
        read_revoked(said)
