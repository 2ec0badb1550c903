import asyncio
from base64 import b64decode, b64encode

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from engine.call_jobs import sentences
from engine.ear.vad import Loudness
from engine.mind.mind import Mind
from engine.parts import Parts
from engine.server import Server
from realtime.contract import SAY_EXACTLY
from tests.engine.sockets import TOKEN, Engine, append, by_hand, receive, receive_until, send, with_engine
from tests.engine.stand_ins import ENGLISH, kinds
from tests.kit.parts import SECOND, ScriptedEar, Tones, loud
from tests.kit.story import WITHIN, run, until

CLOSING = [
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
]


async def greet(socket: ClientConnection, words: str) -> None:
    """Have exactly these words said."""
    said = f"{ENGLISH}\n\n{SAY_EXACTLY}\n{words}"
    await send(socket, "response.create", response={"instructions": said, "input": []})


def test_a_greeting_is_spoken_word_for_word() -> None:
    """The words demanded come as the transcript, sentence by sentence in the session's voice, and as audio."""

    async def test(engine: Engine) -> None:
        async with engine.call() as socket:
            await greet(socket, "Namaste. I am Mohit.")
            events = await receive_until(socket, "rate_limits.updated")

        done = next(event for event in events if event["type"] == "response.output_audio_transcript.done")
        assert done["transcript"] == "Namaste. I am Mohit."
        assert engine.voice.asked == [("Namaste. ", "marin"), ("I am Mohit.", "marin")]
        audio = b"".join(b64decode(each["delta"]) for each in events if each["type"] == "response.output_audio.delta")
        assert len(audio) == 3 * 14_400

    with_engine(test)


def test_a_clip_is_heard_and_answered() -> None:
    """A committed clip is written down and answered in the words of the mind."""

    async def test(engine: Engine) -> None:
        async with engine.call() as socket:
            heard = {"transcription": {"model": "gpt-transcribe", "language": "en"}, "turn_detection": None}
            await send(
                socket,
                "session.update",
                session={"type": "realtime", "instructions": ENGLISH, "audio": {"input": heard}},
            )
            await send(socket, "input_audio_buffer.append", audio=b64encode(SECOND).decode())
            await send(socket, "input_audio_buffer.commit")
            await send(socket, "response.create")
            events = await receive_until(socket, "response.done")

        said = {event["type"]: event for event in events}
        transcript = said["conversation.item.input_audio_transcription.completed"]
        assert transcript["transcript"] == "When will I get married?"
        assert "when will you get married" in said["response.output_audio_transcript.done"]["transcript"]

    with_engine(test, ear=ScriptedEar("When will I get married?"))


def test_silence_is_not_given_to_the_ear() -> None:
    """A clip without speech has no words, and the mind asks to hear it again."""

    async def test(engine: Engine) -> None:
        async with engine.call() as socket:
            await by_hand(socket)
            await send(socket, "input_audio_buffer.append", audio=b64encode(bytes(len(SECOND))).decode())
            await send(socket, "input_audio_buffer.commit")
            await send(socket, "response.create")
            events = await receive_until(socket, "response.done")

        assert "once more" in events[-1]["response"]["output"][0]["content"][0]["transcript"]

    with_engine(test, ear=ScriptedEar())


@pytest.mark.parametrize(
    ("token", "query", "code", "close"),
    [("wrong", "?model=m", "invalid_api_key", 3000), (TOKEN, "", "invalid_model", 4000)],
)
def test_keys_and_models_are_checked_after_the_handshake(token: str, query: str, code: str, close: int) -> None:
    """The connection opens, says what is wrong, and closes with the code and reason of the real API."""

    async def test(engine: Engine) -> None:
        async with engine.call(token, query) as socket:
            error = await receive(socket)
            assert error["error"]["code"] == code
            with pytest.raises(ConnectionClosed):
                await receive(socket)
        assert (socket.close_code, socket.close_reason) == (close, f"invalid_request_error.{code}")

    with_engine(test)


@pytest.mark.parametrize("shown", [TOKEN, "sk-WRONG"])
def test_a_browser_shows_its_key_in_a_subprotocol(shown: str, caplog: pytest.LogCaptureFixture) -> None:
    """As OpenAI's recipe for browsers has it: `realtime` is answered, and the key is neither repeated nor logged."""
    offered = [Subprotocol("realtime"), Subprotocol(f"openai-insecure-api-key.{shown}")]

    async def test(engine: Engine) -> None:
        async with connect(f"{engine.url}?model=m", subprotocols=offered, proxy=None) as socket:
            assert socket.subprotocol == "realtime"
            event = await receive(socket)
            assert event["type"] == ("session.created" if shown == TOKEN else "error")

    with caplog.at_level("DEBUG"):
        with_engine(test)
    assert shown not in "".join(record.getMessage() for record in caplog.records if record.name.startswith("engine"))


@pytest.mark.parametrize("frame", [b"{}", "{", "[]", '"hello"'])
def test_what_is_no_event_is_answered(frame: str | bytes) -> None:
    """Binary frames, broken JSON and other values get an error, and the session goes on."""

    async def test(engine: Engine) -> None:
        async with engine.call() as socket:
            await receive(socket)
            await socket.send(frame)
            assert (await receive(socket))["error"]["code"] == "invalid_json"
            await send(socket, "input_audio_buffer.clear")
            assert (await receive(socket))["type"] == "input_audio_buffer.cleared"

    with_engine(test)


def test_the_sessions_are_shown_to_who_has_the_token() -> None:
    """GET /sessions tells each live session's instructions and voice, GET /health how many there are."""

    async def test(engine: Engine) -> None:
        async with engine.call() as socket:
            session_id = (await receive(socket))["session"]["id"]
            update = {"type": "realtime", "instructions": "Be Tina.", "audio": {"output": {"voice": "cedar"}}}
            await send(socket, "session.update", session=update)
            await receive(socket)
            status, sessions = await engine.get("/sessions")
            assert status == 200
            (shown,) = sessions
            assert (shown["id"], shown["instructions"], shown["voice"]) == (session_id, "Be Tina.", "cedar")
            assert 0 <= shown["seconds"] < WITHIN
            assert await engine.get("/health") == (200, {"status": "healthy", "sessions": 1})
        await until(lambda: not engine.server.calls)
        assert await engine.get("/sessions") == (200, [])
        assert (await engine.get("/sessions", token="wrong"))[0] == 401
        assert (await engine.get("/nothing"))[0] == 404

    with_engine(test)


def test_a_failing_session_touches_no_other() -> None:
    """A crash of the ear closes that one call with 1011; another goes on talking."""

    async def test(engine: Engine) -> None:
        async with engine.call() as failing, engine.call() as other:
            await by_hand(failing)
            await send(failing, "input_audio_buffer.append", audio=b64encode(SECOND).decode())
            await send(failing, "input_audio_buffer.commit")
            events = await receive_until(failing, "error")
            assert events[-1]["error"]["code"] == "server_error"
            with pytest.raises(ConnectionClosed):
                await receive(failing)
            assert failing.close_code == 1011

            await greet(other, "Still here.")
            assert (await receive_until(other, "response.done"))[-1]["response"]["status"] == "completed"

    with_engine(test, ear=ScriptedEar(RuntimeError("a broken ear, as the test wants it")))


def test_callers_share_the_voice_by_sentences() -> None:
    """A long answer lets a short one in between its sentences."""

    async def test(engine: Engine) -> None:
        engine.voice.free.clear()
        async with engine.call() as long, engine.call() as short:
            await greet(long, "One two. " * 20)
            await until(lambda: engine.parts.queued == 1)
            await greet(short, "Short.")
            await until(lambda: engine.parts.queued == 2)
            engine.voice.free.set()
            await receive_until(short, "response.done")
            await receive_until(long, "response.done")

        assert engine.voice.asked.index(("Short.", "marin")) < 15

    with_engine(test)


def test_cancel_stops_the_speaking() -> None:
    """After a cancel no further sentence is made, and the next response is served at once."""

    async def test(engine: Engine) -> None:
        engine.voice.free.clear()
        async with engine.call() as socket:
            await greet(socket, "One two. " * 20)
            await receive_until(socket, "response.created")
            await until(lambda: bool(engine.voice.asked))
            await send(socket, "response.cancel")
            done = (await receive_until(socket, "response.done"))[-1]
            assert done["response"]["status_details"]["reason"] == "client_cancelled"
            engine.voice.free.set()
            await greet(socket, "Next.")
            await receive_until(socket, "response.done")

        assert [text for text, _ in engine.voice.asked] == ["One two. ", "Next."]

    with_engine(test)


def test_speech_interrupts_over_the_socket() -> None:
    """Speech that comes while the voice is at work ends the response, and no further sentence of it is made."""

    async def test(engine: Engine) -> None:
        engine.voice.free.clear()
        async with engine.call() as socket:
            await greet(socket, "One two. " * 20)
            await until(lambda: bool(engine.voice.asked))
            await append(socket, SECOND + bytes(len(SECOND)), 960)
            events = await receive_until(socket, "response.done")
            assert kinds(events)[-1 - len(CLOSING) :] == ["input_audio_buffer.speech_started", *CLOSING]
            assert events[-1]["response"]["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
            engine.voice.free.set()
            answered = await receive_until(socket, "response.done")
            assert answered[-1]["response"]["status"] == "completed"

        assert engine.voice.asked.count(("One two. ", "marin")) == 1

    with_engine(test, ear=ScriptedEar("Will I marry?"))


def test_a_commit_sees_all_that_was_appended_before() -> None:
    """Also when the audio is so long that it is heard in many steps."""

    async def test(engine: Engine) -> None:
        async with engine.call() as socket:
            await receive(socket)
            await append(socket, 15 * SECOND, 15 * len(SECOND))
            await send(socket, "input_audio_buffer.commit")
            started, committed = await receive(socket), await receive(socket)
            assert kinds([started, committed]) == ["input_audio_buffer.speech_started", "input_audio_buffer.committed"]
            await until(lambda: bool(engine.ear.lengths))
            assert engine.ear.lengths == [15 * len(SECOND)]

    with_engine(test, ear=ScriptedEar("A long speech."))


def test_a_replay_does_not_hold_up_the_others() -> None:
    """Two minutes appended at once are heard in steps, and the loop goes round between them."""
    steps = 0

    class Counting(Loudness):
        def hear(self, pcm: bytes) -> list[float]:
            nonlocal steps
            steps += 1
            return super().hear(pcm)

    async def test(engine: Engine) -> None:
        async with engine.call() as replaying, engine.call() as other:
            await receive(replaying)
            await receive(other)
            await append(replaying, bytes(120 * len(SECOND)), 120 * len(SECOND))
            await send(replaying, "input_audio_buffer.clear")
            await until(lambda: steps > 0)
            await send(other, "input_audio_buffer.clear")
            await receive(other)
            assert steps < 1250
            await receive(replaying)
            assert steps == 1250  # of 96 ms

    with_engine(test, detector=Counting)


def test_nothing_is_left_when_a_client_goes() -> None:
    """Clients that hang up in the middle of hearing and speaking leave no task, no socket and no queued work."""

    async def test(engine: Engine) -> None:
        engine.voice.free.clear()
        before = asyncio.all_tasks()
        for _ in range(5):
            async with engine.call() as socket:
                await by_hand(socket)
                await greet(socket, "One two. " * 20)
                await send(socket, "input_audio_buffer.append", audio=b64encode(SECOND).decode())
                await send(socket, "input_audio_buffer.commit")
                await receive_until(socket, "input_audio_buffer.committed")
                socket.transport.abort()
        await until(lambda: not engine.server.calls)
        await until(lambda: asyncio.all_tasks() == before)
        engine.voice.free.set()
        await until(lambda: engine.parts.queued == 0)
        assert len(engine.voice.asked) <= 2  # one for each worker

    with_engine(test, ear=ScriptedEar(*["hello"] * 5))


def test_a_server_that_stops_says_goodbye() -> None:
    """Leaving the context closes live calls with 1001."""

    async def whole() -> int | None:
        parts = Parts(Tones(0.3, letters=10), ScriptedEar(), loud, Mind())
        server = Server(parts, token=None)
        async with server.listen("127.0.0.1", 0) as port:
            socket = await connect(f"ws://127.0.0.1:{port}/v1/realtime?model=m", proxy=None)
            await receive(socket)
        parts.close()
        with pytest.raises(ConnectionClosed):
            await receive(socket)
        return socket.close_code

    assert run(whole()) == 1001


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("One. Two? Three!", ["One. ", "Two? ", "Three!"]),
        ("नमस्ते। मैं टीना हूँ।", ["नमस्ते। ", "मैं टीना हूँ।"]),
        ("At 10.30, Dr.Rao came", ["At 10.30, Dr.Rao came"]),
        ("Wait... what?\nYes. ", ["Wait... ", "what?\n", "Yes. "]),
        ("", []),
    ],
)
def test_sentences_lose_nothing(text: str, cut: list[str]) -> None:
    """The pieces, joined, are the text, in both scripts."""
    assert sentences(text) == cut
