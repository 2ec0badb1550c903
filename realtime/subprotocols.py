"""WebSocket subprotocols: which of those that a client offers is answered. Browsers can send a token nowhere else.

A browser, and node, closes a connection on which none of its subprotocols is answered. But what carries a secret must
not be repeated: an answer is seen by proxies and kept in their logs.
"""

import re
from collections.abc import Iterable

KEY = "openai-insecure-api-key."
MOST_OFFERED = 20  # that are looked at

_LONGEST = 40  # characters of a plain word
_PART = re.compile(r"(?=.{1,16}$)(?:[A-Z]?[a-z]+(?:[A-Z][a-z]{2,})*|[A-Z]{1,4}|v?[0-9]{1,2})")
_LABELS = frozenset(
    ["auth", "authorization", "bearer", "credential", "jwt", "key", "password", "pk", "secret", "sk", "token"]
)
"""Words after which, in the same subprotocol, a secret may follow."""


def offered(headers: Iterable[str]) -> list[str]:
    """The subprotocols of all `Sec-WebSocket-Protocol` headers."""
    names = (name.strip() for header in headers for name in header.split(","))
    return [name for name in names if name][:MOST_OFFERED]


def choose(names: Iterable[str], ours: str) -> str | None:
    """Ours if it is offered, else the first that is a plain word; None if there is neither."""
    names = list(names)
    return ours if ours in names else next(filter(is_plain, names), None)


def is_plain(name: str) -> bool:
    """True for a word such as `bearer`, `graphql-ws` or `v1.json`; false for what may be, or may carry, a secret."""
    parts = re.split("[._-]", name)
    if len(name) > _LONGEST or not all(map(_PART.fullmatch, parts)):
        return False
    return parts[0][0].isalpha() and _LABELS.isdisjoint(part.lower() for part in parts[:-1])


def key_in(names: Iterable[str]) -> str | None:
    """The key that a client offers as the Realtime API lets browsers do; None without one."""
    return next((name.removeprefix(KEY) for name in names if name.startswith(KEY)), None)
