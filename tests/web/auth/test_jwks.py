"""Which public keys are taken, and for which algorithm."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.kit.doors import ec_key, jwks, rsa_key
from web.auth.jwks import MOST_KEYS, read_jwks


def text(*keys: Any) -> bytes:
    """A set of these."""
    return json.dumps({"keys": list(keys)}).encode()


def test_each_key_is_for_one_algorithm() -> None:
    """By its type; it is found by its id, or without one among all of the algorithm."""
    keys = read_jwks(json.dumps(jwks()).encode())
    assert {(key.id, key.algorithm) for key in keys.keys} == {("rsa", "RS256"), ("ec", "ES256"), ("ed", "EdDSA")}
    assert [key.id for key in keys.find("RS256", "rsa")] == [key.id for key in keys.find("RS256", None)] == ["rsa"]
    assert keys.find("RS256", "ec") == keys.find("HS256", "rsa") == keys.find("none", None) == []


def test_two_keys_of_one_id_are_told_apart() -> None:
    """By their algorithm; of the same algorithm both are tried. A secret of this id is still none."""
    (first, other), same = (
        ({**key, "kid": "1"} for key in jwks()["keys"][:2]),
        {"kid": "1", "kty": "oct", "k": "c2VjcmV0"},
    )
    keys = read_jwks(text(first, same, other, first))
    assert [key.algorithm for key in keys.find("RS256", "1")] == ["RS256", "RS256"]
    assert [key.algorithm for key in keys.find("ES256", "1")] == ["ES256"]
    assert keys.find("HS256", "1") == []


RSA = RSAAlgorithm.to_jwk(rsa_key().public_key(), as_dict=True)
UNUSABLE = {
    "symmetric": {"kty": "oct", "k": "c2VjcmV0LXRoYXQtaXMtcHVibGlzaGVkLWFuZC1sb25n", "alg": "HS256"},
    "for encryption": {**RSA, "use": "enc"},
    "for another algorithm": {**RSA, "alg": "RS512"},
    "for a shared secret": {**RSA, "alg": "HS256"},
    "another curve": ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True),
    "another Edwards curve": OKPAlgorithm.to_jwk(ed448.Ed448PrivateKey.generate().public_key(), as_dict=True),
    "short": RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 1024).public_key(), as_dict=True),
    "broken": {"kty": "RSA", "n": "*", "e": 7},
    "no key": {"kty": ["RSA"], "crv": {}},
    "no object": "RSA",
}


@pytest.mark.parametrize("why", UNUSABLE)
def test_what_cannot_be_used_is_passed_over(why: str) -> None:
    """The others of the set still serve; a set with nothing else is refused."""
    good = ECAlgorithm.to_jwk(ec_key().public_key(), as_dict=True)
    assert [key.algorithm for key in read_jwks(text(UNUSABLE[why], good)).keys] == ["ES256"]
    with pytest.raises(ValueError, match="no key"):
        read_jwks(text(UNUSABLE[why]))


def test_the_private_half_of_a_key_is_not_used() -> None:
    """Somebody has published too much: the public half serves."""
    private = RSAAlgorithm.to_jwk(rsa_key(), as_dict=True)
    (key,) = read_jwks(text(private)).keys
    assert not hasattr(key.key, "private_numbers")


@pytest.mark.parametrize("said", [b"", b"[]", b"{}", b'{"keys": {}}', b"\xff", text(*[RSA] * (MOST_KEYS + 1))])
def test_what_is_no_set(said: bytes) -> None:
    """Whoever reads it keeps what there was."""
    with pytest.raises(ValueError):  # noqa: PT011  # of several kinds
        read_jwks(said)
