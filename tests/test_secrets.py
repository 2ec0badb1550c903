"""What looks for secrets in all that is logged and sent finds them."""

import logging
from collections.abc import Callable

import pytest

from actors.call.resume import token
from actors.messages.caller import Chose, Typed
from personas import Profile
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


@pytest.mark.parametrize("what", ["prompt", "words", "profile"])
def test_what_is_the_callers_own_in_a_log_is_found(what: str) -> None:
    """So is the prompt of a persona."""
    secrets.told(Typed("when will I marry, and whom"))
    secrets.told(Chose("mohit", profile=Profile(birth_place="Thiruvananthapuram")))
    said = {"prompt": secrets.PROMPTS[0], "words": "when will I marry, and whom", "profile": "Thiruvananthapuram"}
    log.warning("about %s", "nothing")
    assert secrets.found() == []
    log.warning("about %s", said[what])
    assert len(secrets.found()) == 1


@pytest.mark.parametrize("inside", [*secrets.INSIDES, secrets.PROMPTS[0]])
def test_what_is_inside_the_server_is_found_in_a_frame(inside: str) -> None:
    """Paths, tracebacks and prompts."""
    secrets.look_in_frame("frame", f'{{"type": "error", "message": "{inside} and more"}}')
    assert len(secrets.found()) == 1
