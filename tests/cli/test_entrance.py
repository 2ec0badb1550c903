"""Open or closed: what a server says, and when it does not start."""

import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.entrance import Entrance, entrance
from cli.failure import CannotServe
from cli.listening import bind
from cli.settings import Settings
from personas import CurrentCatalogue
from tests.kit.doors import JWT_SECRET, KEY, OTHER_KEY, call_token, entrance_of, login
from tests.kit.exchange import exchange
from tests.kit.four import FOUR
from tests.kit.story import run, until
from tests.test_doors import knock
from web.addresses import Addresses
from web.auth import OPEN
from web.auth.doorman import ClosedDoor
from web.auth.revoked import Revoked


async def opened(settings: Entrance, host: str = "127.0.0.1") -> bool:
    """Whether a server with these settings is open at this address. Raises CannotServe."""
    with ExitStack() as stack:
        listener = bind(host, 0)
        stack.callback(listener.close)
        async with entrance(settings, listener, CurrentCatalogue(FOUR), Addresses()) as auth:
            return auth is OPEN


def refused(settings: Entrance, host: str = "127.0.0.1") -> str:
    """Why it does not start: exit code 2."""
    with pytest.raises(CannotServe) as reason:
        run(opened(settings, host))
    assert reason.value.code == 2
    return str(reason.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.9"])
def test_on_loopback_a_server_without_keys_is_open_and_says_so(host: str, caplog: pytest.LogCaptureFixture) -> None:
    """So that one command is enough to try it."""
    caplog.set_level("INFO")
    assert run(opened(Entrance(), host))
    assert "open: who reaches 127.0.0." in caplog.text


def test_elsewhere_it_does_not_start_and_names_both_ways_out(caplog: pytest.LogCaptureFixture) -> None:
    """Unless it is told to be open, or has keys."""
    reason = refused(Entrance(), "0.0.0.0")
    assert "API_KEY" in reason
    assert "--open" in reason
    assert run(opened(Entrance(open=True), "0.0.0.0"))
    assert "open to everybody" in caplog.text
    assert not run(opened(Entrance(api_key=KEY), "0.0.0.0"))


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"api_key": KEY, "open": True}, "say one of both"),
    ({"api_key": "hunter2"}, "at least 32 characters"),
    ({"jwt_secret": "hunter2"}, "at least 32 characters"),
    ({"jwt_keys": "http://login.example/jwks"}, "https://"),
    ({"jwt_keys": "/nowhere/jwks.json"}, "No such file"),
    ({"jwt_audience": "voice"}, "with keys alone"),
    ({"revoked": Path("/nowhere")}, "with keys alone"),
    ({"api_key": KEY, "revoked": Path("/nowhere")}, "No such file"),
    ({"api_keys_file": Path("/nowhere")}, "No such file"),
]


@pytest.mark.parametrize(("settings", "why"), FAULTS)
def test_what_cannot_be_meant_is_refused(settings: dict[str, Any], why: str) -> None:
    """And says what to correct, without what was given."""
    reason = refused(Entrance(**settings))
    assert why in reason
    assert "hunter2" not in reason


def test_a_login_that_is_away_does_not_keep_a_server_from_starting(caplog: pytest.LogCaptureFixture) -> None:
    """Tokens of calls are taken meanwhile."""
    settings = Entrance(api_key=KEY, jwt_keys="https://127.0.0.1:9/jwks?secret=x")
    assert not run(opened(settings))
    assert "until they can be read" in caplog.text
    assert "secret" not in caplog.text


def test_keys_of_the_environment_and_of_a_file(tmp_path: Path) -> None:
    """Several of each."""
    file = tmp_path / "keys"
    file.write_text(f"# old\n{OTHER_KEY}\n")
    assert Entrance(api_key=f" {KEY},,", api_keys_file=file).keys_of_servers == [KEY, OTHER_KEY]
    assert KEY not in repr(Settings(entrance=Entrance(api_key=KEY, jwt_secret=JWT_SECRET)))


def test_a_secret_alone_closes_the_server(tmp_path: Path) -> None:
    """It has no key for POST /api/calls then, and takes no token of a call."""

    async def story() -> None:
        settings = replace(entrance_of(tmp_path), api_key="")
        async with exchange(doors=settings) as line:
            assert (await knock(line, "ws", call_token()))[0] == 4401
            assert (await knock(line, "ws", ""))[0] == 4401

    run(story())


def test_who_is_revoked_does_not_come_in(tmp_path: Path) -> None:
    """By user, or by the token's id; the list is followed."""
    file = tmp_path / "revoked.json"
    file.write_text('{"sub": ["user-2"], "jti": ["7"]}')

    async def story() -> None:
        async with exchange(doors=replace(entrance_of(tmp_path), revoked=file)) as line:
            code, reason, _ = await knock(line, "ws", login(jti="7"))
            assert (code, reason) == (4401, "the token was revoked")
            phone = line.phone("user-2")
            phone.bearer = call_token("user-2")
            async with phone:
                assert (await phone.closed()).reason == "the token was revoked"
            phone = line.phone()
            phone.bearer = login(jti="8")
            async with phone:
                await phone.say(type="ping")
                await phone.hear("pong")

    run(story())


def test_the_list_of_the_revoked_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is added is kept out within seconds."""
    monkeypatch.setattr("cli.entrance.FILE_SECONDS", 0.01)
    file = tmp_path / "revoked.json"
    file.write_text("{}")

    async def story() -> None:
        with ExitStack() as stack:
            listener = bind("127.0.0.1", 0)
            stack.callback(listener.close)
            settings = Entrance(api_key=KEY, revoked=file)
            async with entrance(settings, listener, CurrentCatalogue(FOUR), Addresses()) as auth:
                assert isinstance(auth.doorman, ClosedDoor)
                revoked = auth.doorman.revoked
                assert revoked
                file.write_text(json.dumps({"sub": ["user-1"]}))
                await until(lambda: revoked.value == Revoked(frozenset(["user-1"])))

    run(story())
