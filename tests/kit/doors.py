"""Keys and tokens for tests: good ones, and every way in which one can be bad."""

import base64
import hashlib
import hmac
import json
import time
from functools import cache
from pathlib import Path
from typing import Any, cast

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from actors.messages.identity import Identity
from cli.entrance import Entrance
from tests.kit import secrets
from web.auth.call_tokens import SECONDS, CallTokens
from web.auth.keys import ServerKeys

KEY = secrets.key("a-key-of-the-server.long-enough-for-it")
OTHER_KEY = secrets.key("a-key-of-somebody-else.just-as-long-as")
JWT_SECRET = secrets.key("the-secret-of-the-owners-login.for-HS256")
AUDIENCE, ISSUER = "voice", "https://login.example"
Claims = dict[str, Any]


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """The login's, for RS256."""
    return rsa.generate_private_key(65537, 2048)


@cache
def another_rsa_key() -> rsa.RSAPrivateKey:
    """Somebody else's."""
    return rsa.generate_private_key(65537, 2048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    """The login's, for ES256."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def ed_key() -> ed25519.Ed25519PrivateKey:
    """The login's, for EdDSA."""
    return ed25519.Ed25519PrivateKey.generate()


def jwks() -> dict[str, Any]:
    """The public keys of the login."""
    return {
        "keys": [
            {**RSAAlgorithm.to_jwk(rsa_key().public_key(), as_dict=True), "kid": "rsa", "use": "sig"},
            {**ECAlgorithm.to_jwk(ec_key().public_key(), as_dict=True), "kid": "ec"},
            {**OKPAlgorithm.to_jwk(ed_key().public_key(), as_dict=True), "kid": "ed", "alg": "EdDSA"},
        ]
    }


def entrance_of(folder: Path) -> Entrance:
    """Closed: a key, a secret, and the public keys in a file."""
    file = folder / "jwks.json"
    file.write_text(json.dumps(jwks()))
    return Entrance(api_key=KEY, jwt_secret=JWT_SECRET, jwt_keys=str(file), jwt_audience=AUDIENCE, jwt_issuer=ISSUER)


def call_token(identity: Identity | str = "user-1", *, age: float = 0, key: str = KEY) -> str:
    """Of POST /api/calls, as it was issued so many seconds ago."""
    identity = Identity(identity) if isinstance(identity, str) else identity
    token, _ = CallTokens(ServerKeys([key]), lambda: time.time() - age).issue(identity)
    return secrets.token(token)


EXPIRED = SECONDS + 1


def claims(**other: Any) -> Claims:
    """Good ones, for user-1, unless others are given; None leaves one out."""
    good = {"sub": "user-1", "aud": AUDIENCE, "iss": ISSUER, "exp": time.time() + 600, **other}
    return {name: value for name, value in good.items() if value is not None}


def login(algorithm: str = "HS256", key: Any = None, kid: str | None = None, **other: Any) -> str:
    """A token of the login, signed by its own key for this algorithm unless another is given; `kid` may be empty."""
    keys: dict[str, tuple[Any, str | None]] = {
        "HS256": (JWT_SECRET, None),
        "RS256": (rsa_key(), "rsa"),
        "ES256": (ec_key(), "ec"),
        "EdDSA": (ed_key(), "ed"),
    }
    own, own_kid = keys[algorithm]
    kid = own_kid if kid is None else kid
    headers = {"kid": kid} if kid else None
    return secrets.token(jwt.encode(claims(**other), key or own, algorithm, headers))


def unsigned(**other: Any) -> str:
    """A token with the algorithm `none`."""
    return secrets.token(jwt.encode(claims(**other), cast(str, None), "none"))


def confused() -> str:
    """A token that is signed by HS256 with the login's public RSA key, which everybody knows, as its secret."""
    public = rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return by_hand({"alg": "HS256", "typ": "JWT", "kid": "rsa"}, claims(), public)


def by_hand(header: dict[str, Any], said: Claims, key: bytes) -> str:
    """A token that no library would make, signed by HMAC-SHA256."""
    text = ".".join(base64url(json.dumps(part).encode()) for part in (header, said))
    return secrets.token(f"{text}.{base64url(hmac.digest(key, text.encode(), hashlib.sha256))}")


def base64url(data: bytes) -> str:
    """As the parts of a token are written."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
