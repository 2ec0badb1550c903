"""What a token, or a request for one, says of a call: the user, and what is locked in."""

from collections.abc import Mapping
from math import inf
from typing import Any, get_args

from actors.messages.caller import Mode
from actors.messages.identity import Identity
from web.user_id import read_user_id

MOST_PERSONAS = 50  # a token travels in a header
_LONGEST_ID = 200  # characters


def read(claims: Mapping[str, Any], user: str = "user") -> Identity:
    """The identity that these claims name; `user` is the claim that has the user. Raises ValueError, fit to be shown.

    A claim that is null is as if it were left out.
    """
    name = claims.get(user)
    if not isinstance(name, str):
        raise ValueError(f"{user}: send a user id.")  # noqa: TRY004
    return Identity(read_user_id(name), _personas(claims.get("astrologer_ids")), _mode(claims), _seconds(claims))


def write(identity: Identity) -> dict[str, Any]:
    """The claims of an identity, as `read` reads them; what is not locked in is left out."""
    personas = sorted(identity.personas) if identity.personas is not None else None
    claims = {"user": identity.user, "astrologer_ids": personas, "mode": identity.mode, "seconds": identity.seconds}
    return {name: value for name, value in claims.items() if value is not None}


def _personas(ids: object) -> frozenset[str] | None:
    if ids is None:
        return None
    if not isinstance(ids, list) or not 1 <= len(ids) <= MOST_PERSONAS:
        raise ValueError(f"astrologer_ids: send a list of 1 to {MOST_PERSONAS} ids, or leave it out.")
    if not all(isinstance(one, str) and 0 < len(one) <= _LONGEST_ID for one in ids):
        raise ValueError("astrologer_ids: each is the id of an astrologer.")
    return frozenset(ids)


def _mode(claims: Mapping[str, Any]) -> Mode | None:
    mode: Mode | None = claims.get("mode")
    if mode is not None and mode not in get_args(Mode):
        raise ValueError(f"mode: send one of {', '.join(get_args(Mode))}, or leave it out.")
    return mode


def _seconds(claims: Mapping[str, Any]) -> float | None:
    seconds = claims.get("seconds")
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 1 <= seconds < inf:
        raise ValueError("seconds: send a number from 1 on, or leave it out.")
    return float(seconds)
