"""Tokens of calls: what they say, for how long, and by which key."""

from contextlib import suppress

import pytest

from actors.messages.identity import Identity
from tests.kit.doors import KEY, OTHER_KEY
from web.auth.call_tokens import SECONDS, CallTokens
from web.auth.keys import ServerKeys, read_keys
from web.auth.refusal import EXPIRED, UNKNOWN, TurnedAway

EVERYTHING = Identity("रवि@example.com", frozenset(["a", "b"]), "stream", 90.5)


class Wall:
    """A clock that the test sets."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def refusal(tokens: CallTokens, token: str) -> object:
    """Why this token is not taken."""
    with pytest.raises(TurnedAway) as away:
        tokens.read(token)
    return away.value.close


@pytest.mark.parametrize("identity", [EVERYTHING, Identity("u")])
def test_a_token_says_who_calls_and_what_is_locked_in(identity: Identity) -> None:
    """In letters that a header and an address may hold; each has an id of its own."""
    tokens = CallTokens(ServerKeys([KEY]))
    (token, _), (other, _) = tokens.issue(identity), tokens.issue(identity)
    assert tokens.read(token).identity == identity
    assert tokens.read(token).id != tokens.read(other).id
    assert token.replace(".", "").replace("-", "").replace("_", "").isalnum()
    assert token.isascii()


def test_it_is_good_for_a_minute() -> None:
    """To its last second."""
    wall = Wall()
    tokens = CallTokens(ServerKeys([KEY]), wall)
    token, expires = tokens.issue(EVERYTHING)
    assert expires == wall.now + SECONDS
    wall.now += SECONDS
    assert tokens.read(token).expires == expires
    wall.now += 1
    assert refusal(tokens, token) == EXPIRED


def test_keys_are_replaced_one_by_one() -> None:
    """The newest signs; what an older one has signed is taken for as long as that is there."""
    before, both, after = (CallTokens(ServerKeys(keys)) for keys in ([KEY], [OTHER_KEY, KEY], [OTHER_KEY]))
    old, new = before.issue(EVERYTHING)[0], both.issue(EVERYTHING)[0]
    assert both.read(old).identity == both.read(new).identity == after.read(new).identity == EVERYTHING
    assert refusal(after, old) == refusal(before, new) == UNKNOWN


def test_no_sign_of_a_token_can_be_changed() -> None:
    """Whatever is changed, it is unknown or says the same; no change raises anything else."""
    tokens = CallTokens(ServerKeys([KEY]))
    token, _ = tokens.issue(EVERYTHING)
    said = tokens.read(token)
    for place in range(len("call1."), len(token)):
        for sign in "A.é":
            changed = f"{token[:place]}{sign}{token[place + 1 :]}"
            with suppress(TurnedAway):
                assert tokens.read(changed) == said


def test_a_short_key_is_refused_and_not_shown() -> None:
    """A token shows what it has signed, so that it could be found by trying."""
    with pytest.raises(ValueError, match="at least 32 characters") as refused:
        ServerKeys([KEY, "hunter2"])
    assert "hunter2" not in str(refused.value)


def test_which_keys_are_known() -> None:
    """All of them, and nothing that is like them."""
    keys = ServerKeys([KEY, OTHER_KEY])
    assert keys.knows(KEY)
    assert keys.knows(OTHER_KEY)
    assert not any(keys.knows(other) for other in ("", KEY[:-1], f"{KEY} ", "\ud800"))
    assert not ServerKeys([])
    assert not ServerKeys([]).knows("")
    assert not ServerKeys([]).signed(b"", b"")


def test_a_file_of_keys() -> None:
    """One a line, with remarks."""
    assert read_keys(f"# the newest\n{KEY}\n\n  {OTHER_KEY}  \r\n") == [KEY, OTHER_KEY]
