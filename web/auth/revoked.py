"""The list of users and tokens that may not come in any more, though what they present is valid."""

from dataclasses import dataclass

import orjson

from web.auth.refusal import Unfit
from web.user_id import read_user_id


@dataclass(frozen=True, slots=True)
class Revoked:
    """`users` by their id, `tokens` by the `jti`."""

    users: frozenset[str] = frozenset()
    tokens: frozenset[str] = frozenset()


def read_revoked(text: bytes) -> Revoked:
    """The list in JSON: `{"sub": [...], "jti": [...]}`, either may be left out. Raises ValueError."""
    said = orjson.loads(text)
    if not isinstance(said, dict) or said.keys() - {"sub", "jti"}:
        raise Unfit('it is not {"sub": [...], "jti": [...]}')
    lists = {name: said.get(name, []) for name in ("sub", "jti")}
    for name, values in lists.items():
        if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
            raise Unfit(f"{name} is no list of texts")
    return Revoked(frozenset(map(read_user_id, lists["sub"])), frozenset(lists["jti"]))
