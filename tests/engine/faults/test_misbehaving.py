"""Every fault over a real socket: what a client sees, and that nothing is left afterwards."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from cli import app
from engine.faults.script import KINDS, Script, ScriptBroken, load, read
from realtime.contract import SAY_EXACTLY
from realtime.server.settings import Event
from tests.engine.sockets import Engine, receive, receive_until, send, with_engine
from tests.engine.stand_ins import kinds
from tests.kit.story import until

EXAMPLE = Path(__file__).parents[3] / "docs" / "faults.example.json"
WORDS = "Namaste. I am Mohit."
AUDIO = "response.output_audio.delta"
Test = Callable[[ClientConnection], Awaitable[None]]


def misbehave(test: Test, *faults: Event) -> None:
    """Run a test on the first connection, which has the faults; another connection must not be affected."""

    async def whole(engine: Engine) -> None:
        before = asyncio.all_tasks()
        async with engine.call() as socket, engine.call() as neighbour:
            await test(socket)
            await greet(neighbour)
            assert (await receive_until(neighbour, "response.done"))[-1]["response"]["status"] == "completed"
            socket.transport.abort()
        await until(lambda: not engine.server.calls and asyncio.all_tasks() == before)

    with_engine(whole, script=script(*faults))


def script(*faults: Event) -> Script:
    return read({"connections": [list(faults)]})


async def greet(socket: ClientConnection) -> None:
    await send(socket, "response.create", response={"instructions": f"{SAY_EXACTLY}\n{WORDS}", "input": []})


async def to_the_end(socket: ClientConnection) -> list[Event]:
    """All events until the connection closes."""
    events: list[Event] = []
    while True:
        try:
            events.append(json.loads(await socket.recv()))
        except ConnectionClosed:
            return events


@pytest.mark.parametrize(("status", "told"), [(503, {}), (429, {"status": 429}), (401, {"status": 401})])
def test_a_connection_is_refused(status: int, told: Event) -> None:
    """With the status of the script instead of 101; the next connection is let in."""

    async def test(engine: Engine) -> None:
        with pytest.raises(InvalidStatus) as refused:
            async with engine.call():
                pass
        assert refused.value.response.status_code == status
        async with engine.call() as socket:
            await receive(socket)

    with_engine(test, script=script({"on": "connect", "do": "refuse", **told}))


def test_a_handshake_is_cut() -> None:
    """The client gets no answer at all."""

    async def test(engine: Engine) -> None:
        with pytest.raises((InvalidMessage, ConnectionError)):
            async with engine.call():
                pass

    with_engine(test, script=script({"on": "connect", "do": "abort"}))


def test_a_handshake_is_slow() -> None:
    """It comes after its time."""

    async def test(engine: Engine) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with engine.call() as socket:
            assert loop.time() - began >= 0.5
            await receive(socket)

    with_engine(test, script=script({"on": "connect", "do": "slow", "seconds": 0.5}))


@pytest.mark.parametrize("fault", [{"do": "stall"}, {"do": "slow", "seconds": 3000}])
@pytest.mark.parametrize("who", ["client", "server"])
def test_a_handshake_never_ends(fault: Event, who: str) -> None:
    """Until the client or the server goes, and then nothing is left of it; others are let in meanwhile."""

    async def test(engine: Engine) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", engine.port)
        key = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + "A" * 22
        writer.write(f"GET /v1/realtime?model=m HTTP/1.1\r\nHost: here\r\n{key}==\r\n\r\n".encode())
        await until(lambda: bool(engine.server._handshaking))
        async with engine.call() as other:
            await receive(other)
        if who == "client":
            writer.transport.abort()
            await until(lambda: not engine.server._handshaking)
        else:
            engine.parts.close()
        writer.close()

    with_engine(test, script=script({"on": "connect", **fault}))


@pytest.mark.parametrize("on", ["open", "session.created", "response.create", AUDIO, "response.done", 0.1])
def test_a_connection_is_cut(on: str | float) -> None:
    """At any moment: no close frame, so the client sees 1006; what it strikes never comes."""

    async def test(socket: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            await greet(socket)
        assert on not in kinds(await to_the_end(socket))
        assert socket.close_code == 1006

    misbehave(test, {"on": on, "do": "abort"})


@pytest.mark.parametrize("code", [1001, 1011, 1012, 1013, 3000, 4000])
def test_a_connection_is_closed(code: int) -> None:
    """With any code and reason, after the second delta."""

    async def test(socket: ClientConnection) -> None:
        await greet(socket)
        assert kinds(await to_the_end(socket)).count(AUDIO) == 2
        assert (socket.close_code, socket.close_reason) == (code, "as told")

    misbehave(test, {"on": AUDIO, "nth": 3, "do": "close", "code": code, "reason": "as told"})


def test_an_error_may_come_before_the_close() -> None:
    """As where the real API turns a client away after the 101."""

    async def test(socket: ClientConnection) -> None:
        (error,) = await to_the_end(socket)
        assert error["error"]["code"] == "invalid_api_key"
        assert socket.close_code == 3000

    error = {"on": "open", "do": "error", "code": "invalid_api_key"}
    misbehave(test, error, {"on": "open", "do": "close", "code": 3000})


def test_a_connection_stalls() -> None:
    """Nothing more comes, not even a pong, and the connection stays."""

    async def test(socket: ClientConnection) -> None:
        await greet(socket)
        await receive_until(socket, "response.output_audio_transcript.delta")
        pong = asyncio.ensure_future(await socket.ping())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.3)
        assert not pong.done()
        assert socket.close_code is None

    misbehave(test, {"on": AUDIO, "do": "stall"})


def test_a_session_expires() -> None:
    """At the age that the server was given, which it tells at the start."""

    async def test(engine: Engine) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with engine.call() as socket:
            events = await to_the_end(socket)
            assert loop.time() - began >= 0.3
        assert kinds(events) == ["session.created", "error"]
        assert events[1]["error"]["code"] == "session_expired"
        assert socket.close_code == 1001

    with_engine(test, session_seconds=0.3)


def test_a_session_tells_when_it_expires() -> None:
    """In seconds since 1970, and not before that."""

    async def test(engine: Engine) -> None:
        before = int(time.time())
        async with engine.call() as socket:
            expires_at = (await receive(socket))["session"]["expires_at"]
            assert before <= expires_at - 1800 <= time.time() + 1

    with_engine(test, session_seconds=1800)


@pytest.mark.parametrize("code", ["rate_limit_exceeded", "insufficient_quota", "server_error"])
@pytest.mark.parametrize("on", ["response.create", "response.created", AUDIO, "response.content_part.done"])
def test_a_response_fails(on: str, code: str) -> None:
    """At any moment: its one response.done says why, and the next response is made."""

    async def test(socket: ClientConnection) -> None:
        await greet(socket)
        done = (await receive_until(socket, "response.done"))[-1]["response"]
        assert done["status"] == "failed"
        assert done["status_details"]["error"]["code"] == code
        await greet(socket)
        events = await receive_until(socket, "response.done")
        assert events[-1]["response"]["status"] == "completed"
        assert kinds(events).count("response.created") == 1

    misbehave(test, {"on": on, "do": "fail", "code": code})


def test_an_event_is_refused_by_an_error() -> None:
    """It echoes the id, and nothing else comes of the event."""

    async def test(socket: ClientConnection) -> None:
        await receive(socket)
        await send(socket, "response.create", event_id="c1")
        await send(socket, "input_audio_buffer.clear")
        error, cleared = await receive(socket), await receive(socket)
        assert (error["error"]["code"], error["error"]["event_id"]) == ("server_error", "c1")
        assert cleared["type"] == "input_audio_buffer.cleared"

    misbehave(test, {"on": "response.create", "do": "error", "code": "server_error", "echo": True})


@pytest.mark.parametrize(("do", "count"), [("duplicate", 2), ("drop", 0)])
def test_an_event_comes_twice_or_never(do: str, count: int) -> None:
    """Among those that come once each."""

    async def test(socket: ClientConnection) -> None:
        await greet(socket)
        events = kinds(await receive_until(socket, "response.done"))
        assert events.count("response.output_item.done") == count
        assert events.count("response.output_item.added") == 1

    misbehave(test, {"on": "response.output_item.done", "do": do})


@pytest.mark.parametrize(("do", "late"), [("delay", True), ("hold", False)])
def test_an_event_comes_late(do: str, late: bool) -> None:
    """Out of order, or with all that follows it."""

    async def test(socket: ClientConnection) -> None:
        loop, began = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        await greet(socket)
        events = kinds(await receive_until(socket, "response.created" if late else "response.done"))
        assert (events.index("response.created") > 1) is late
        assert loop.time() - began >= 0.5

    misbehave(test, {"on": "response.created", "do": do, "seconds": 0.5})


def test_an_unknown_event_comes() -> None:
    """Before what it strikes, which comes too."""

    async def test(socket: ClientConnection) -> None:
        assert json.loads(await socket.recv())["type"] == "session.never_heard_of"
        assert (await receive(socket))["type"] == "session.created"

    misbehave(test, {"on": "session.created", "do": "unknown"})


@pytest.mark.parametrize("do", ["half", "garbage"])
def test_a_frame_is_no_json(do: str) -> None:
    """And then the session goes on."""

    async def test(socket: ClientConnection) -> None:
        with pytest.raises(json.JSONDecodeError):
            json.loads(await socket.recv())
        if do == "garbage":
            await receive(socket)
        await send(socket, "input_audio_buffer.clear")
        assert (await receive(socket))["type"] == "input_audio_buffer.cleared"

    misbehave(test, {"on": "session.created", "do": do})


def test_a_frame_is_binary() -> None:
    """What it holds is the event all the same."""

    async def test(socket: ClientConnection) -> None:
        frame = await socket.recv()
        assert isinstance(frame, bytes)
        assert json.loads(frame)["type"] == "session.created"

    misbehave(test, {"on": "session.created", "do": "binary"})


def test_a_field_is_missing() -> None:
    """Just that one."""

    async def test(socket: ClientConnection) -> None:
        session = (await receive(socket))["session"]
        assert "voice" not in session["audio"]["output"]
        assert session["audio"]["output"]["format"]

    misbehave(test, {"on": "session.created", "do": "strip", "field": "session.audio.output.voice"})


def test_a_frame_is_too_large() -> None:
    """A client that takes 1 MiB gives up with 1009."""

    async def test(socket: ClientConnection) -> None:
        await greet(socket)
        await to_the_end(socket)
        assert socket.protocol.close_sent is not None
        assert socket.protocol.close_sent.code == 1009

    misbehave(test, {"on": AUDIO, "do": "huge"})


def test_deltas_come_after_a_cancelled_response() -> None:
    """Of the response that is over."""

    async def test(socket: ClientConnection) -> None:
        await send(socket, "response.create", response={"instructions": f"{SAY_EXACTLY}\n{WORDS * 50}", "input": []})
        created = (await receive_until(socket, "response.created"))[-1]["response"]["id"]
        await receive_until(socket, AUDIO)
        await send(socket, "response.cancel")
        done = (await receive_until(socket, "response.done"))[-1]["response"]
        assert done["status"] == "cancelled"
        deltas = [await receive(socket), await receive(socket)]
        assert {delta["response_id"] for delta in deltas} == {created}
        assert AUDIO in kinds(deltas)

    misbehave(test, {"on": "open", "do": "late"})


def test_the_server_can_stop_while_a_connection_stalls() -> None:
    """It waits for nobody."""

    async def test(engine: Engine) -> None:
        socket = await engine.call().__aenter__()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await socket.recv()

    with_engine(test, script=script({"on": "session.created", "do": "stall"}))


def test_the_script_goes_by_connections() -> None:
    """The second list is for the second connection; later ones behave, or with `repeat` it begins again."""
    once = read({"connections": [[], [{"on": "open", "do": "abort"}]]})
    again = read({"connections": [[], [{"on": "open", "do": "abort"}]], "repeat": True})
    assert [len(once.faults(number)) for number in range(4)] == [0, 1, 0, 0]
    assert [len(again.faults(number)) for number in range(4)] == [0, 1, 0, 1]


def test_the_example_is_a_script() -> None:
    """That of the documents."""
    assert len(load(EXAMPLE).connections) == 4


@pytest.mark.parametrize(
    ("fault", "path", "said"),
    [
        ({"on": "open", "do": "abrot"}, ".do", "Did you mean 'abort'?"),
        ({"on": "respons.done", "do": "drop"}, ".on", "Did you mean 'response.done'?"),
        ({"on": "open", "do": "refuse"}, ".on", "must be one of connect"),
        ({"on": "open", "do": "hold"}, ".seconds", "is missing"),
        ({"on": -1, "do": "abort"}, ".on", "at least 0"),
        ({"on": "open", "do": "close", "code": 1006}, ".code", "cannot be 1006"),
        ({"on": "open", "do": "abort", "nht": 1}, ".nht", "Did you mean 'nth'?"),
        ({"do": "abort"}, ".on", "is missing"),
    ],
)
def test_a_bad_script_is_told_what_to_mend(fault: Event, path: str, said: str) -> None:
    """Each fault with its place, before the engine starts."""
    with pytest.raises(ScriptBroken) as broken:
        read({"connections": [[], [fault, {"do": "nothing"}]]})
    first, second = broken.value.faults
    assert first.startswith(f"$.connections[1][0]{path}: ")
    assert said in first
    assert second.startswith("$.connections[1][1].do: must be one of")


@pytest.mark.parametrize("text", ["{", "[]", '{"connections": {}}', None])
def test_the_command_names_all_faults_and_ends(tmp_path: Path, text: Any) -> None:
    """With exit code 2."""
    file = tmp_path / "script.json"
    if text:
        file.write_text(text)
    result = CliRunner().invoke(app, ["engine", "--faults", str(file)])
    assert result.exit_code == 2
    assert result.stderr.startswith("$")


def test_every_kind_is_documented() -> None:
    """The table of the documents has a line for each."""
    text = (EXAMPLE.parent / "testing.md").read_text()
    assert [do for do in KINDS if f"| `{do}`" not in text] == []
