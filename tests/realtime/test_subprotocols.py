"""Which subprotocol is answered, and what is never repeated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.subprotocols import MOST_OFFERED, choose, is_plain, key_in, offered

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c2VyIn0.dBjftJeZ4CVPmB92K27uhbUJU1p1r"


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ([], None),
        (["voice.v1"], "voice.v1"),
        (["chat", "voice.v1"], "voice.v1"),
        (["bearer", "t0k3n"], "bearer"),
        (["bearer.t0k3n", "voice"], "voice"),
        ([JWT, "access_token"], "access_token"),
        (["realtime", "openai-insecure-api-key.sk-SECRET", "openai-beta.realtime-v1"], "realtime"),
        (["openai-insecure-api-key.sk-SECRET", "realtime"], "realtime"),
        ([JWT], None),
        (["bearer.secret"], None),
    ],
)
def test_ours_goes_before_the_first_plain_word(names: list[str], chosen: str | None) -> None:
    """Where there is none nothing is answered, and a browser hangs up: better than to repeat a token."""
    assert choose(names, "voice.v1") == chosen


@pytest.mark.parametrize(
    "word",
    [
        "bearer",
        "Bearer",
        "protocolOne",
        "JWT",
        "realtime",
        "graphql-ws",
        "v1.json",
        "echo-protocol",
        "access_token",
        "app.v2",
    ],
)
def test_plain_words(word: str) -> None:
    """As programs name their protocols."""
    assert is_plain(word)


@pytest.mark.parametrize(
    "word",
    [
        "",
        "t0k3n",
        "hunter2",
        "sk-proj-abc123",
        "sk-SECRET",
        "sk-secret",
        "SECRET",
        "my-secret-word",
        "bearer.abcdef",
        "Bearer.abcdef",
        "token-abcdef",
        "authorization.bearer.abcdef",
        "openai-insecure-api-key.abc",
        "base64url.bearer.authorization.k8s.io.abc",
        "550e8400-e29b-41d4-a716-446655440000",
        "d41d8cd98f00b204e9800998ecf8427e",
        "correcthorsebatterystaple",
        "aBcDeF",
        "12345678",
        "1",
        "a b",
        "a,b",
        "é",
        JWT,
    ],
)
def test_what_may_be_a_secret(word: str) -> None:
    """By its digits, its length, its case, or the word before it."""
    assert not is_plain(word)


@given(st.lists(st.sampled_from(["chat", "bearer.x", "k3y", "voice.v1", ""]) | st.text(max_size=8)))
def test_what_is_chosen_was_offered(names: list[str]) -> None:
    """Browsers refuse any other answer."""
    chosen = choose(names, "voice.v1")
    assert chosen is None or chosen in names


def test_they_are_read_of_all_headers() -> None:
    """In their order, without blanks, and not without end."""
    assert offered(["a, b ,", " ,c"]) == ["a", "b", "c"]
    assert len(offered(["x," * 1000])) == MOST_OFFERED
    assert key_in(["realtime", "openai-insecure-api-key.sk-1.2", "x"]) == "sk-1.2"
    assert key_in(["realtime"]) is None
