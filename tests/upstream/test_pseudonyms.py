"""Names that nobody can trace back without the secret."""

import hashlib

from upstream.link import Upstream
from upstream.pseudonyms import Pseudonyms

SECRET = "the secret of an owner"


def test_a_user_has_one_name_for_each_reader() -> None:
    """As long as the secret is the same, also in another process; the log and the upstream cannot be joined."""
    one, same, other = Pseudonyms(SECRET), Pseudonyms(SECRET), Pseudonyms("another secret")
    assert one.upstream("user-1") == same.upstream("user-1")
    assert one.upstream("user-1") not in (one.upstream("user-2"), other.upstream("user-1"))
    assert one.log("user-1") == same.log("user-1") != one.log("user-2")
    assert not one.upstream("user-1").startswith(one.log("user-1"))


def test_without_a_secret_nobody_can_make_the_names() -> None:
    """Each process has its own."""
    assert Pseudonyms().upstream("user-1") != Pseudonyms().upstream("user-1")


def test_the_upstream_is_told_a_keyed_hash() -> None:
    """Whoever guesses a user id, such as a telephone number, cannot see whether they are right."""
    upstream = Upstream("ws://127.0.0.1", "model", pseudonyms=Pseudonyms(SECRET))
    told = upstream.headers("+911234567890")["OpenAI-Safety-Identifier"]
    assert len(told) == 32
    assert told != hashlib.sha256(b"+911234567890").hexdigest()[:32]
    assert told == upstream.headers("+911234567890")["OpenAI-Safety-Identifier"]
