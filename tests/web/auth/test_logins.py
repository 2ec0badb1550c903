"""Tokens of a login whose keys change."""

import asyncio
import json
import time

import jwt
import pytest

from tests.kit import secrets
from tests.kit.doors import AUDIENCE, ISSUER, JWT_SECRET, another_rsa_key, claims, jwks, login, rsa_key
from web.auth import logins
from web.auth.jwks import KeySet, read_jwks
from web.auth.logins import Logins
from web.auth.refusal import EXPIRED, UNKNOWN, TurnedAway


class Login:
    """Where the keys are published: `next` are those that are read when somebody asks."""

    def __init__(self, now: KeySet | None, then: KeySet | None = None) -> None:
        self.value, self.next = now, then or now
        self.asked = 0

    async def renew(self) -> None:
        """Read them again."""
        self.asked += 1
        self.value = self.next


def published(key_id: str) -> KeySet:
    """The RSA key of the login, by this id."""
    key = next(key for key in jwks()["keys"] if key["kid"] == "rsa")
    return read_jwks(json.dumps({"keys": [{**key, "kid": key_id}]}).encode())


def read(token: str, keys: Login | None, secret: str = "") -> str:
    """Whom the token names."""
    identity, _ = asyncio.run(Logins(secret, keys, AUDIENCE, ISSUER).read(token))
    return identity.user


def refusal(token: str, keys: Login | None, secret: str = "") -> object:
    """Why it is not taken."""
    with pytest.raises(TurnedAway) as away:
        read(token, keys, secret)
    return away.value.close


def test_a_new_key_is_asked_for_when_a_token_names_it() -> None:
    """And the old keys are not asked for again."""
    keys = Login(published("old"), published("new"))
    assert read(login("RS256", kid="old"), keys) == "user-1"
    assert keys.asked == 0
    assert read(login("RS256", kid="new"), keys) == "user-1"
    assert refusal(login("RS256", kid="old"), keys) == UNKNOWN  # it is withdrawn
    assert keys.asked == 2


def test_without_any_key_nobody_is_taken() -> None:
    """The login was away from the start on: it is asked again."""
    keys = Login(None, None)
    assert refusal(login("RS256"), keys) == UNKNOWN
    keys.next = published("rsa")
    assert read(login("RS256"), keys) == "user-1"
    assert refusal(login("RS256"), None, JWT_SECRET) == UNKNOWN
    assert refusal(login(), keys) == UNKNOWN  # there is no secret


def test_no_other_algorithm_asks_for_keys() -> None:
    """A stranger could have them read once a minute, but not by nonsense."""
    keys = Login(published("rsa"))
    for algorithm in ("RS512", "PS256", "HS512"):
        key = rsa_key() if algorithm != "HS512" else 2 * JWT_SECRET
        token = secrets.token(jwt.encode(claims(), key, algorithm))
        assert refusal(token, keys, JWT_SECRET) == UNKNOWN
    assert keys.asked == 0


def test_where_no_key_is_named_all_of_the_algorithm_are_tried() -> None:
    """Up to a bound."""
    (own,) = published("rsa").keys
    other = logins.MOST_TRIED * list(read_jwks(_set_of_another()).keys)
    assert read(login("RS256", kid=""), Login(KeySet((*other[1:], own)))) == "user-1"
    assert refusal(login("RS256", kid=""), Login(KeySet((*other, own)))) == UNKNOWN


def _set_of_another() -> bytes:
    key = jwt.algorithms.RSAAlgorithm.to_jwk(another_rsa_key().public_key(), as_dict=True)
    return json.dumps({"keys": [key]}).encode()


def test_clocks_may_differ_a_little() -> None:
    """By ten seconds, either way."""
    keys, now = Login(published("rsa")), time.time()
    assert read(login("RS256", exp=now - 5, nbf=now + 5), keys) == "user-1"
    assert refusal(login("RS256", exp=now - 15), keys) == EXPIRED
    assert refusal(login("RS256", nbf=now + 60), keys) == UNKNOWN


def test_an_audience_that_is_not_expected_is_refused() -> None:
    """RFC 7519, 4.1.3: the token is for somebody else."""
    anybody = Logins(JWT_SECRET)
    with pytest.raises(TurnedAway):
        asyncio.run(anybody.read(login()))
    identity, token_id = asyncio.run(anybody.read(login(aud=None, iss=None, jti="7", seconds=60, mode="clip")))
    assert (identity.user, identity.seconds, identity.mode, token_id) == ("user-1", 60.0, "clip", "7")
