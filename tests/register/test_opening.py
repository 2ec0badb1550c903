"""Which register an address names, and what is said of one that names none."""

import sys

import pytest

from register import MemoryRegister, NoRegister, open_register
from register.redis_commands import OLDEST
from tests.kit.redis import RedisServer
from tests.kit.story import run, until

SECRET = "redis://:secret@127.0.0.1:bad/0"


def test_without_an_address_it_is_in_memory() -> None:
    """And here from the beginning."""

    async def story() -> None:
        register = open_register("", "n1")
        assert isinstance(register, MemoryRegister)
        assert register.presence.here
        await register.close()

    run(story())


@pytest.mark.parametrize(
    ("url", "node", "said"),
    [
        ("http://127.0.0.1", "n1", "begins with redis://"),
        (SECRET, "n1", "such as redis://"),
        ("", "no spaces", "name of a node"),
        ("", "", "name of a node"),
        ("", "n" * 65, "name of a node"),
    ],
)
def test_what_is_no_register_is_refused(url: str, node: str, said: str) -> None:
    """By a sentence, without the password."""
    with pytest.raises(NoRegister, match=said) as refused:
        open_register(url, node)
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_without_the_extra_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked for only if an address is given."""
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(NoRegister, match=r'pip install "persona-voice-server\[cluster\]"'):
        open_register("redis://127.0.0.1", "n1")


def test_a_redis_that_is_too_old_is_away(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which one is needed."""
    monkeypatch.setattr("register.redis_commands.OLDEST", OLDEST + 1)

    async def story() -> None:
        register = open_register(redis.url, "n1")
        await until(lambda: "is too old" in register.presence.reason)
        assert f"{OLDEST + 1}.0 or newer is needed" in register.presence.reason
        await register.close()

    run(story())
