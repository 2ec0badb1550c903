"""What looks for secrets in all that is logged and sent finds them."""

import logging
from collections.abc import Callable

import pytest

from actors.call.resume import token
from phone import Phone
from tests.kit import secrets
from tests.kit.doors import KEY, call_token, login
from tests.kit.exchange import TOKEN, exchange
from tests.kit.story import run

log = logging.getLogger(__name__)


@pytest.mark.parametrize("kind", ["key", "key of the upstream", "call token", "login", "resume"])
def test_a_secret_in_a_log_is_found(kind: str) -> None:
    """In the words, among the arguments, and in a traceback."""
    made: dict[str, Callable[[], str]] = {"call token": call_token, "login": login, "resume": lambda: token.issue()[0]}
    secret = {"key": KEY, "key of the upstream": TOKEN}.get(kind) or made[kind]()
    log.debug("nothing")
    log.warning("the caller sent %s", "nothing")
    assert secrets.found() == []
    log.warning("the caller sent %s", secret)
    log.warning(f"the caller sent {secret}")
    try:
        int(secret)
    except ValueError:
        log.exception("failed")
    assert len(secrets.found()) == 3


def test_a_secret_in_a_frame_is_found() -> None:
    """And in the reason of a close."""

    async def story() -> None:
        async with exchange() as line, Phone(line.url, "user-1") as phone:
            await phone.say(type=f"{KEY}")
            assert KEY[:10] in str(await phone.hear("error"))

    run(story())
    assert len(secrets.found()) == 1
