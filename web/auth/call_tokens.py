"""Tokens of calls: each is good for one connection, which it must open within a minute.

    call1.PAYLOAD.SIGNATURE        both in base64url; the payload is the claims as JSON, with `exp` and `jti`

They are signed and not kept, so that any server with the same key takes them. They are no JWTs, so that neither is ever
taken for the other.
"""

import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from actors.messages.identity import Identity
from web.auth import claims
from web.auth.keys import ServerKeys
from web.auth.refusal import EXPIRED, UNKNOWN, TurnedAway

SECONDS = 60  # to open the connection
PREFIX = "call1."
_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class CallToken:
    """What a token says: its id, its last moment in Unix seconds, and who calls."""

    id: str
    expires: int
    identity: Identity


class CallTokens:
    """Issues tokens, and reads them. `wall` is the time in Unix seconds."""

    def __init__(self, keys: ServerKeys, wall: Callable[[], float] = time.time) -> None:
        self._keys, self._wall = keys, wall

    def issue(self, identity: Identity) -> tuple[str, int]:
        """A new token, and its last moment."""
        expires = int(self._wall()) + SECONDS
        said = {**claims.write(identity), "exp": expires, "jti": secrets.token_urlsafe(_ID_BYTES)}
        payload = _encode(orjson.dumps(said))
        return f"{PREFIX}{payload}.{_encode(self._keys.sign(payload.encode()))}", expires

    def read(self, token: str) -> CallToken:
        """What the token says; raises TurnedAway. Whether it was used is not looked at."""
        payload, _, signature = token.removeprefix(PREFIX).partition(".")
        try:
            if not self._keys.signed(payload.encode("ascii"), _decode(signature)):
                raise TurnedAway(UNKNOWN)
            said = orjson.loads(_decode(payload))
            found = CallToken(said["jti"], said["exp"], claims.read(said))
        except ValueError:  # of base64, ASCII and JSON alike; what is signed is as it was written
            raise TurnedAway(UNKNOWN) from None
        if self._wall() > found.expires:
            raise TurnedAway(EXPIRED)
        return found


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text.encode("ascii") + b"==")
