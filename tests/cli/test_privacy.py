"""What others learn of callers and of keys."""

import pytest

from cli.failure import CannotServe
from cli.privacy import Privacy, check_key, log_name, pseudonyms


@pytest.mark.parametrize("url", ["ws://10.0.0.7/v1/realtime", "ws://model.example", "WS://localhost.example:80/x"])
def test_a_key_does_not_go_to_another_host_in_plain_text(url: str) -> None:
    """The server does not start; it says what to do, and neither the address nor the key."""
    with pytest.raises(CannotServe, match="wss://") as refused:
        check_key(url, "a-key")
    assert refused.value.code == 2
    assert url not in str(refused.value)
    check_key(url, "")


@pytest.mark.parametrize(
    "url", ["wss://model.example/v1", "ws://127.0.0.1:8100/v1", "ws://[::1]:8100", "ws://localhost:1", "ws://127.1.2.3"]
)
def test_a_key_goes_by_tls_or_within_the_machine(url: str) -> None:
    """As to an engine that runs alone."""
    check_key(url, "a-key")


def test_the_log_has_hashes_if_that_is_wanted() -> None:
    """Else the user ids, as they are."""
    plain, hashed = Privacy(), Privacy(hash_users=True, id_secret="0123456789abcdef")
    assert log_name(plain, pseudonyms(plain))("user-1") == "user-1"
    name = log_name(hashed, pseudonyms(hashed))("user-1")
    assert "user" not in name
    assert name == log_name(hashed, pseudonyms(hashed))("user-1")


def test_a_secret_that_can_be_guessed_is_refused() -> None:
    """Its text is not repeated."""
    with pytest.raises(CannotServe) as refused:
        pseudonyms(Privacy(id_secret="too short"))
    assert "too short" not in str(refused.value)
