"""A phone that comes back, against a server that the test plays."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from phone import CallEnded, Message
from phone.lasting import LastingPhone
from tests.kit.story import run, until

ACK = {"type": "config_ack", "resume": {"token": "Wd3", "attach": 0, "seconds": 30, "node": "a"}}
RESUMED = {"type": "resumed", "attach": 1, "received": 0, "away_ms": 9, "uplink_ms": 15_000}
NUMBERS = [{"name": "Tele-MANAS", "number": "14416", "languages": ["hi"]}]
SUMMARY = {"seconds": 9, "by_persona": [], "help": NUMBERS}

Play = Callable[["Played"], Awaitable[None]]


class Played:
    """One connection of the caller's, as the test answers it."""

    def __init__(self, socket: ServerConnection) -> None:
        assert socket.request
        self.socket, self.path = socket, socket.request.path

    async def say(self, message: dict[str, Any]) -> None:
        """Tell the caller."""
        await self.socket.send(orjson.dumps(message).decode())

    async def hear(self) -> Any:
        """What the caller says next: a message, or sound."""
        frame = await self.socket.recv()
        return orjson.loads(frame) if isinstance(frame, str) else frame

    async def loses(self) -> None:
        """The call begins on this connection, and the line is lost."""
        await self.say(ACK)
        await self.hear()
        self.socket.transport.abort()


def story(*plays: Play, then: Callable[[LastingPhone], Awaitable[None]], patience: float = 30.0) -> list[str]:
    """Call a server that plays one of these on each connection, the last one again and again; returns the paths."""
    paths: list[str] = []

    async def answer(socket: ServerConnection) -> None:
        played = Played(socket)
        paths.append(played.path)
        await plays[min(len(paths), len(plays)) - 1](played)
        await socket.wait_closed()

    async def call() -> None:
        async with serve(answer, "127.0.0.1", 0, max_size=None) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            phone = LastingPhone(f"ws://127.0.0.1:{port}", "user-1", {"astrologer_id": "tina", "mode": "stream"})
            phone._patience = patience
            async with phone:
                await phone.hear("config_ack")
                await phone.say(type="text", text="first")
                await then(phone)

    run(call())
    return paths


def test_who_gives_up_waiting_while_the_line_is_away_is_heard_all_the_same() -> None:
    """They look away in the middle of coming back, and go on: nothing that they said is kept back."""
    said: list[Message] = []

    async def late(line: Played) -> None:
        said.append(await line.hear())
        await asyncio.sleep(0.3)
        await line.say(RESUMED)

    async def back(line: Played) -> None:
        said.append(await line.hear())
        await line.say(RESUMED)
        said.extend([await line.hear(), await line.hear()])
        await line.say({"type": "pong"})

    async def then(phone: LastingPhone) -> None:
        with pytest.raises(TimeoutError):
            await phone.hear("pong", 0.15)
        await phone.say(type="text", text="second")
        await phone.hear("pong", 10)

    story(Played.loses, late, back, then=then)
    assert [one["type"] for one in said] == ["resume", "resume", "text", "text"]
    assert [one.get("text") for one in said[2:]] == ["first", "second"]


def test_what_is_said_while_the_rest_is_sent_again_comes_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is slow: a microphone that goes on does not overtake what was said before."""
    words = [f"{number}" for number in range(9)] + ["last"]
    said: list[str] = []
    send = ClientConnection.send

    async def slowly(socket: ClientConnection, frame: str) -> None:
        await send(socket, frame)
        await asyncio.sleep(0.02)  # as where the buffers are full

    async def back(line: Played) -> None:
        await line.hear()
        await line.say(RESUMED)
        while len(said) < 1 + len(words):
            said.append((await line.hear())["text"])
        await line.say({"type": "pong"})

    async def then(phone: LastingPhone) -> None:
        await until(lambda: phone.socket.close_code is not None)
        for one in words[:-1]:
            await phone.say(type="text", text=one)
        monkeypatch.setattr(ClientConnection, "send", slowly)
        hearing = asyncio.create_task(phone.hear("pong", 10))
        await until(lambda: phone.resumed)
        await phone.say(type="text", text=words[-1])
        await hearing

    story(Played.loses, back, then=then)
    assert said == ["first", *words]


def test_who_is_sent_on_by_the_server_that_they_named_names_it_no_more() -> None:
    """It gives its calls away: a proxy would bring them to it again and again. Nor do they choose anybody there."""

    async def moves(line: Played) -> None:
        await line.hear()
        await line.socket.close(1012)

    async def back(line: Played) -> None:
        await line.hear()
        await line.say({**RESUMED, "lost_ms": 0, "asked_again": False, "node": "b"})
        await line.say({"type": "pong"})

    async def then(phone: LastingPhone) -> None:
        await phone.hear("pong", 10)
        assert phone.node == "b"

    _, *paths = story(Played.loses, moves, back, then=then)
    assert paths == ["/ws-mobile/user-1?resume=true&node=a", "/ws-mobile/user-1?resume=true"]


def test_a_call_that_cannot_be_found_now_is_asked_for_again() -> None:
    """The servers cannot ask each other where it is; a little later they can."""

    async def unknown_now(line: Played) -> None:
        await line.hear()
        await line.say({"type": "not_resumed", "code": "unavailable", "message": "It cannot be found out."})

    async def back(line: Played) -> None:
        await line.hear()
        await line.say(RESUMED)
        await line.say({"type": "pong"})

    async def then(phone: LastingPhone) -> None:
        await phone.hear("pong", 10)
        assert phone.resumed == 1

    assert len(story(Played.loses, unknown_now, back, then=then)) == 3


def test_who_is_told_before_the_upgrade_when_to_come_does_not_come_before() -> None:
    """HTTP 429 of too many connections at the address."""
    at: list[float] = []

    def refuse(connection: ServerConnection, _: Request) -> Response:
        at.append(asyncio.get_running_loop().time())
        answer = connection.respond(429, "Too many.")
        answer.headers["Retry-After"] = "3"
        return answer

    async def call() -> None:
        async with serve(lambda _: asyncio.sleep(0), "127.0.0.1", 0, process_request=refuse) as server:
            phone = LastingPhone(f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}", "user-1")
            phone.token, phone._patience = "Wd3", 2.0
            with pytest.raises(CallEnded, match="429"):
                await phone.comes_back()

    run(call())
    assert len(at) == 2
    assert at[1] - at[0] >= 3


@pytest.mark.parametrize("code", [4401, 4409, 4410])
def test_who_is_told_to_stay_away_does(code: int) -> None:
    """Not one attempt more."""

    async def closes(line: Played) -> None:
        await line.socket.close(code, "stay away")

    async def then(phone: LastingPhone) -> None:
        with pytest.raises(CallEnded, match="stay away") as ended:
            await phone.hear("pong")
        assert ended.value.code == code

    assert len(story(Played.loses, closes, then=then, patience=0.5)) == 2


def test_a_call_that_ended_meanwhile_is_summed_up_with_the_numbers_of_help() -> None:
    """As by a call that ends while they are there."""
    heard: list[str] = []

    async def over(line: Played) -> None:
        await line.hear()
        await line.say({"type": "not_resumed", "code": "ended", "message": "It has ended.", "summary": SUMMARY})

    async def then(phone: LastingPhone) -> None:
        phone.on_message = lambda message: heard.append(message["type"])
        with pytest.raises(CallEnded, match="ended: It has ended"):
            await phone.hear("pong")
        assert phone.seen[-1] == {"type": "summary", **SUMMARY}
        assert phone.numbers == NUMBERS

    story(Played.loses, over, then=then)
    assert heard == ["not_resumed", "summary"]
