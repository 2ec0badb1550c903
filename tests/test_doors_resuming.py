"""Who comes back to a call needs no token but that of the call, and gets nothing else by it."""

import json
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from actors.services import Limits
from phone import Phone
from phone.lasting import LastingPhone
from tests.kit.doors import call_token, entrance_of, login
from tests.kit.exchange import Exchange, exchange
from tests.kit.four import TINA
from tests.kit.story import WITHIN, run
from tests.test_resuming import cut, talked
from web.addresses import Addresses
from web.client_limits import ClientLimits


def asks(phone: LastingPhone) -> dict[str, Any]:
    """The first message of a connection that goes on with this call."""
    return {"type": "resume", "token": phone.token, "attach": phone.attach, "received": phone.received}


async def knock(line: Exchange, first: Any, token: str = "", user: str = "user-1", address: str = "") -> list[Any]:
    """What a connection is told that asks to resume, its close code at the end; `first` is what it says."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if address:
        headers["X-Forwarded-For"] = address
    told: list[Any] = []
    async with connect(f"{line.url}/ws/{user}?resume=true", additional_headers=headers, proxy=None) as socket:
        try:
            if first is not None:
                await socket.send(json.dumps(first))
            while True:
                said = json.loads(await socket.recv())
                told.append(said.get("code", said["type"]))
                if told[-1] == "resumed":
                    return told
        except ConnectionClosed:
            return [*told, socket.close_code]


@pytest.mark.thorough
def test_a_call_outlives_its_token(tmp_path: Path) -> None:
    """It was good for one connection and is used; the call still comes back, and is spoken in."""

    async def story() -> None:
        async with exchange(doors=entrance_of(tmp_path)) as line:
            async with LastingPhone(line.url, "user-1", bearer=call_token()) as phone:
                await talked(phone)
                cut(phone)
                await phone.say(type="text", text="It is me.")
                await phone.reply()
                assert phone.resumed == 1
            assert line.counters.begun == 1

    run(story())


@pytest.mark.thorough
def test_without_a_token_a_good_resume_comes_in(tmp_path: Path) -> None:
    """And a used, or an expired, one is as none."""

    async def story() -> None:
        async with exchange(doors=entrance_of(tmp_path)) as line:
            async with LastingPhone(line.url, "user-1", bearer=call_token()) as phone:
                await talked(phone)
                assert await knock(line, asks(phone)) == ["resumed"]
            async with LastingPhone(line.url, "user-2", bearer=call_token("user-2")) as phone:
                await talked(phone)
                assert await knock(line, asks(phone), call_token("user-2", age=1000), "user-2") == ["resumed"]

    run(story())


@pytest.mark.thorough
def test_whatever_else_is_said_without_a_token_is_4401(tmp_path: Path) -> None:
    """Nothing, something else, a token of no call, or of one that is over: then with what it cost."""

    async def story() -> None:
        limits = ClientLimits(resume_seconds=0.2)
        async with exchange(doors=entrance_of(tmp_path), client_limits=limits) as line:
            guess = {"type": "resume", "token": "guessed", "attach": 0, "received": 0}
            assert await knock(line, None) == [4401]
            assert await knock(line, {"type": "config", "astrologer_id": TINA}) == [4401]
            assert await knock(line, "nonsense") == [4401]
            assert await knock(line, guess) == ["unknown", 4401]
            assert (line.counters.begun, len(line.engine.calls)) == (0, 0)
            assert line.counters.refused == {4401: 4}
            async with LastingPhone(line.url, "user-1", bearer=call_token()) as phone:
                await talked(phone)
                ask = asks(phone)
                await phone.say(type="end")
                await phone.closed()
            assert await knock(line, ask) == ["ended", 4401]
            assert line.counters.begun == 1

    run(story())


def test_a_call_that_is_not_resumed_begins_anew_with_a_good_token(tmp_path: Path) -> None:
    """Which was not used up by asking."""

    async def story() -> None:
        async with exchange(doors=entrance_of(tmp_path)) as line:
            phone = Phone(line.url, "user-1", {"resume": "true"}, bearer=call_token())
            async with phone:
                await phone.say(type="resume", token="guessed", attach=0, received=0)
                assert (await phone.next())["code"] == "unknown"
                await phone.choose(TINA)
            assert line.counters.begun == 1

    run(story())


def test_nobody_takes_over_the_call_of_another(tmp_path: Path) -> None:
    """With a token of their own, even where they know the other's: 4403, and its owner comes back."""

    async def story() -> None:
        async with (
            exchange(doors=entrance_of(tmp_path)) as line,
            LastingPhone(line.url, "user-1", bearer=login()) as phone,
        ):
            await talked(phone)
            assert await knock(line, asks(phone), login(sub="thief")) == [4403]
            async with Phone(line.url, "thief", {"resume": "true"}, bearer=call_token("thief")) as thief:
                await thief.say(**asks(phone))
                assert (await thief.next())["code"] == "unknown"
            cut(phone)
            await phone.say(type="text", text="It is me.")
            await phone.reply()
            assert phone.resumed == 1

    run(story())


def test_attempts_are_limited_by_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One address cannot try without end, with a token that is good or without; another still can."""
    monkeypatch.setattr("web.rate_limits.RESUMES_A_CALL", 0.001)  # one, and the next after minutes

    async def story() -> None:
        addresses, limits = Addresses(["127.0.0.1"]), Limits(address_connects=1)
        patient = ClientLimits(resume_seconds=WITHIN)
        async with exchange(limits, doors=entrance_of(tmp_path), addresses=addresses, client_limits=patient) as line:
            guess = {"type": "resume", "token": "guessed", "attach": 0, "received": 0}
            url, headers = f"{line.url}/ws/user-1?resume=true", {"X-Forwarded-For": "203.0.113.7"}
            async with connect(url, additional_headers=headers, proxy=None) as first:
                assert await knock(line, guess, address="203.0.113.7") == [4429]
                assert await knock(line, guess, call_token(), address="203.0.113.7") == [4429]
                assert await knock(line, guess, address="203.0.113.8") == ["unknown", 4401]
                await first.send(json.dumps(guess))
                assert json.loads(await first.recv())["code"] == "unknown"

    run(story())
