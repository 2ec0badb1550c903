"""The public keys of a login, as a JSON Web Key Set (RFC 7517). Each key serves one algorithm, by its type."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
import orjson

from web.auth.refusal import Unfit

ALGORITHMS = {"RSA": "RS256", "EC P-256": "ES256", "OKP Ed25519": "EdDSA"}
"""By `kty` and `crv`. A symmetric key (`oct`) is none of them: what is published is no secret."""
LEAST_RSA = 2048  # bits, as RFC 7518 (3.3) demands
MOST_KEYS = 64


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key, its id if it has one, and the only algorithm that it is taken for."""

    id: str | None
    algorithm: str
    key: Any


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys that can be used."""

    keys: tuple[PublicKey, ...] = ()

    def find(self, algorithm: str, key_id: str | None) -> list[PublicKey]:
        """Those of this algorithm that have this id; without an id, all of this algorithm."""
        return [one for one in self.keys if one.algorithm == algorithm and key_id in (None, one.id)]


def read_jwks(text: bytes) -> KeySet:
    """The keys of a set that can be used; others are passed over, as RFC 7517 (5) says. Raises ValueError."""
    said = orjson.loads(text)
    listed = said.get("keys") if isinstance(said, dict) else None
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        raise Unfit("it is no JSON Web Key Set")
    keys = tuple(key for one in listed if isinstance(one, dict) and (key := _key(one)))
    if not keys:
        raise Unfit("it has no key for RS256, ES256 or EdDSA")
    return KeySet(keys)


def _key(said: Mapping[str, Any]) -> PublicKey | None:
    """The key, if it is public, made for signatures, and of a type that is taken."""
    algorithm = ALGORITHMS.get(" ".join(f"{said[name]}" for name in ("kty", "crv") if name in said))
    if not algorithm or said.get("alg", algorithm) != algorithm or said.get("use", "sig") != "sig":
        return None
    try:
        public = {name: value for name, value in said.items() if name in ("kty", "crv", "n", "e", "x", "y")}
        key = jwt.PyJWK.from_dict(public, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if algorithm == "RS256" and key.key_size < LEAST_RSA:
        return None
    key_id = said.get("kid")
    return PublicKey(key_id if isinstance(key_id, str) else None, algorithm, key)
