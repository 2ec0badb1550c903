"""JSON Web Tokens of the owner's own login (RFC 7519): checked with a secret (HS256), or the public keys of a set."""

from typing import Any, Protocol

import jwt

from actors.messages.caller import Close
from actors.messages.identity import Identity
from web.auth import claims
from web.auth.jwks import ALGORITHMS, KeySet
from web.auth.refusal import EXPIRED, UNKNOWN, TurnedAway, Unfit

LEAST_SECRET = 32  # characters: as long as the hash, as RFC 7518 (3.2) demands
LEEWAY_SECONDS = 10  # by which the clocks of two machines may differ
MOST_TRIED = 8  # keys, where the token names none
BROKEN = (jwt.PyJWTError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)
"""What a token raises that is none; its header is parsed before its signature is checked."""


class Keys(Protocol):
    """The current key set, which can be read again."""

    @property
    def value(self) -> KeySet | None:
        """None until it could be read."""
        ...

    async def renew(self) -> None:
        """Read it again, unless that was tried just now."""
        ...


class Logins:
    """Reads tokens. `secret` is for HS256 alone, `keys` are for the others; either may be missing."""

    def __init__(self, secret: str = "", keys: Keys | None = None, audience: str = "", issuer: str = "") -> None:
        """Raises Unfit if the secret is too short."""
        if secret and len(secret) < LEAST_SECRET:
            raise Unfit(f"a secret for HS256 has at least {LEAST_SECRET} characters")
        self._secret, self._keys = secret, keys
        self._audience, self._issuer = audience or None, issuer or None

    async def read(self, token: str) -> tuple[Identity, str]:
        """Who the token names, and its `jti`, empty without one. Raises TurnedAway."""
        said = await self._verified(token)
        token_id = said.get("jti", "")
        try:
            return claims.read(said, "sub"), token_id
        except ValueError as fault:
            raise TurnedAway(Close(4401, f"the token cannot be used: {fault}")) from None

    async def _verified(self, token: str) -> dict[str, Any]:
        """The claims of a token whose signature, time, audience and issuer are right."""
        try:
            header = jwt.get_unverified_header(token)
        except BROKEN:
            raise TurnedAway(UNKNOWN) from None
        algorithm, key_id = f"{header.get('alg')}", header.get("kid")
        for key in await self._candidates(algorithm, key_id):
            try:
                return jwt.decode(
                    token,
                    key,
                    algorithms=[algorithm],
                    audience=self._audience,
                    issuer=self._issuer,
                    leeway=LEEWAY_SECONDS,
                    options={"require": ["exp", "sub", *(["aud"] if self._audience else [])]},
                )
            except jwt.InvalidSignatureError:
                continue
            except jwt.ExpiredSignatureError:
                raise TurnedAway(EXPIRED) from None
            except BROKEN:
                raise TurnedAway(UNKNOWN) from None
        raise TurnedAway(UNKNOWN)

    async def _candidates(self, algorithm: str, key_id: str | None) -> list[Any]:
        """The keys that may have signed it: the algorithm of a key is its own, whatever the token says."""
        if algorithm == "HS256":
            return [self._secret] if self._secret else []
        if self._keys is None or algorithm not in ALGORITHMS.values():
            return []
        found = self._keys.value.find(algorithm, key_id) if self._keys.value else []
        if not found:
            await self._keys.renew()
            found = self._keys.value.find(algorithm, key_id) if self._keys.value else []
        return [one.key for one in found[:MOST_TRIED]]
