"""Clients of others, unchanged, on a real socket: a recorded question, detected by the real server VAD."""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from engine.ear.vad import Silero
from realtime.server.settings import Event
from tests.audio.sounds import speech
from tests.engine.sockets import TOKEN, Engine, with_engine
from tests.engine.stand_ins import ENGLISH, kinds
from tests.kit.parts import RATE, SECOND, ScriptedEar, Tones
from tests.kit.shapes import check_server_event
from tests.kit.story import WITHIN

SILENCE = bytes(2 * RATE)
QUESTION = SILENCE + speech() + SILENCE
FRAME_20_MS = 960  # bytes
HEARD = "Will I get married?"


class HeldVoice(Tones):
    """A voice that makes a second of every sentence, and the rest when the test releases it."""

    def __init__(self) -> None:
        super().__init__(0.3, letters=10)
        self.free.clear()

    def say(self, text: str, voice: str) -> Iterator[bytes]:
        yield SECOND
        yield from super().say(text, voice)


def frames(pcm: bytes) -> Iterator[bytes]:
    return (pcm[at : at + FRAME_20_MS] for at in range(0, len(pcm), FRAME_20_MS))


@asynccontextmanager
async def official(engine: Engine) -> AsyncIterator[AsyncRealtimeConnection]:
    """A connection of the `openai` package."""
    base = f"http://127.0.0.1:{engine.port}/v1"
    client = AsyncOpenAI(api_key=TOKEN, base_url=base, websocket_base_url=base.replace("http", "ws"))
    async with client, client.realtime.connect(model="gpt-realtime-2.1") as line:
        yield line


async def until(line: AsyncRealtimeConnection, kind: str) -> dict[str, Event]:
    """Events up to one of this type: the last of each type, and under "audio" all audio."""
    events: list[Event] = []
    async with asyncio.timeout(WITHIN):
        while not events or events[-1]["type"] != kind:
            event: Event = (await line.recv()).model_dump(exclude_unset=True)
            check_server_event(event)
            assert event["type"] != "error", event
            events.append(event)
    pcm = b"".join(b64decode(each["delta"]) for each in events if each["type"] == "response.output_audio.delta")
    return {**{each["type"]: each for each in events}, "audio": {"pcm": pcm}}


def test_the_official_client_speaks_and_is_answered() -> None:
    """Server VAD detects the spoken turn, which is transcribed and answered; then a typed turn, and a truncation."""

    async def test(engine: Engine) -> None:
        async with official(engine) as line:
            await line.session.update(
                session={
                    "type": "realtime",
                    "instructions": ENGLISH,
                    "audio": {
                        "input": {
                            "transcription": {"model": "gpt-transcribe", "language": "en"},
                            "turn_detection": {"type": "server_vad", "silence_duration_ms": 700},
                        },
                        "output": {"voice": "cedar"},
                    },
                }
            )
            updated = await until(line, "session.updated")
            assert updated["session.updated"]["session"]["audio"]["output"]["voice"] == "cedar"
            for frame in frames(QUESTION):
                await line.input_audio_buffer.append(audio=b64encode(frame).decode())
            spoken = await until(line, "response.done")
            await line.conversation.item.create(
                item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}
            )
            await line.response.create()
            typed = await until(line, "response.done")
            (item,) = typed["response.done"]["response"]["output"]
            await line.conversation.item.truncate(item_id=item["id"], content_index=0, audio_end_ms=300)
            truncated = await until(line, "conversation.item.truncated")

        started, stopped = spoken["input_audio_buffer.speech_started"], spoken["input_audio_buffer.speech_stopped"]
        assert started["item_id"] == spoken["input_audio_buffer.committed"]["item_id"]
        assert 700 < started["audio_start_ms"] < 2000 < stopped["audio_end_ms"]
        assert spoken["conversation.item.input_audio_transcription.completed"]["transcript"] == HEARD
        assert "married" in spoken["response.output_audio_transcript.done"]["transcript"]
        assert len(spoken["audio"]["pcm"]) > len(SECOND)
        assert typed["response.done"]["response"]["status"] == "completed"
        assert truncated["conversation.item.truncated"]["audio_end_ms"] == 300

    with_engine(test, ear=ScriptedEar(HEARD), detector=Silero)


class Listener:
    """The events of a session of openai-agents, and the checked events of its server."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.told: list[Any] = []
        self.received: list[Event] = []

    async def until(self, kind: str) -> list[Any]:
        """Events up to one of this type; an error fails the test."""
        new: list[Any] = []
        async with asyncio.timeout(WITHIN):
            async for event in self.session:
                self._keep(event)
                new.append(event)
                if event.type == kind:
                    return new
        raise AssertionError(f"the session ended without {kind}")

    async def until_received(self, kind: str, count: int = 1) -> None:
        """Listen until the server has sent so many events of a kind."""
        while kinds(self.received).count(kind) < count:
            await self.until("raw_model_event")

    async def until_said(self, count: int) -> list[tuple[str, str]]:
        """Listen until so many turns are in the history, and their words, which may come later; returns it."""
        while sum(bool(text) for _, text in self.said()) < count:
            await self.until("history_updated")
        return self.said()

    def _keep(self, event: Any) -> None:
        assert event.type != "error", event
        self.told.append(event)
        if event.type == "raw_model_event" and event.data.type == "raw_server_event":
            check_server_event(event.data.data)
            assert event.data.data["type"] != "error", event.data.data
            self.received.append(event.data.data)

    def said(self) -> list[tuple[str, str]]:
        """The history of the session: role and text."""
        items = [event.history for event in self.told if event.type == "history_updated"][-1]
        return [
            (item.role, "".join(getattr(part, "transcript", None) or "" for part in item.content)) for item in items
        ]


@asynccontextmanager
async def agents(engine: Engine) -> AsyncIterator[Listener]:
    """A session of the `openai-agents` package with its defaults: semantic VAD."""
    realtime = pytest.importorskip("agents.realtime", reason="openai-agents is not installed: make setup")
    agent = realtime.RealtimeAgent(name="Mohit", instructions=ENGLISH, tools=[agents_tool()])
    runner = realtime.RealtimeRunner(agent, model=realtime.OpenAIRealtimeWebSocketModel())
    model = "gpt-realtime-2.1"
    settings = {"model_name": model}
    config = {"url": f"{engine.url}?model={model}", "api_key": TOKEN, "initial_model_settings": settings}
    async with await runner.run(model_config=config) as session:
        yield Listener(session)


def agents_tool() -> Any:
    """A tool, which the client declares to the server."""

    def look_up(topic: str) -> str:
        """Look something up."""
        return topic

    return pytest.importorskip("agents").function_tool(look_up)


def test_openai_agents_speaks_and_is_answered() -> None:
    """A spoken turn is answered with audio, and both turns are in the history of the session."""

    async def test(engine: Engine) -> None:
        async with agents(engine) as line:
            for frame in frames(QUESTION):
                await line.session.send_audio(frame)
            told = await line.until("audio_end")
            await line.until_received("rate_limits.updated")
            await line.until_received("session.updated", 2)
            (asked, answered) = await line.until_said(2)

        assert sum(len(event.audio.data) for event in told if event.type == "audio") > len(SECOND)
        assert asked == ("user", HEARD)
        assert answered[0] == "assistant"
        assert "married" in answered[1]
        _, session = [event["session"] for event in line.received if event["type"] == "session.updated"]
        assert [tool["name"] for tool in session["tools"]] == ["look_up"]
        assert session["audio"]["input"]["turn_detection"]["type"] == "semantic_vad"

    with_engine(test, ear=ScriptedEar(HEARD), detector=Silero)


def test_openai_agents_interrupts() -> None:
    """Speech interrupts an answer: it is truncated to what was played, and the next turn is answered."""
    voice = HeldVoice()

    async def test(engine: Engine) -> None:
        async with agents(engine) as line:
            await line.session.send_message("Hello")
            await line.until("audio")
            await line.session.send_audio(QUESTION)
            await line.until("audio_interrupted")
            await line.until_received("conversation.item.truncated")
            voice.free.set()
            await line.until_received("response.done", 2)

        (cut, whole) = [event["response"] for event in line.received if event["type"] == "response.done"]
        assert (cut["status"], cut["status_details"]["reason"]) == ("cancelled", "turn_detected")
        assert whole["status"] == "completed"
        assert [role for role, _ in line.said()] == ["user", "assistant", "user", "assistant"]

    with_engine(test, ear=ScriptedEar(HEARD), detector=Silero, voice=voice)


def test_openai_agents_interrupts_by_hand() -> None:
    """`interrupt()` truncates what is played; the session goes on, and a typed turn is answered."""
    voice = HeldVoice()

    async def test(engine: Engine) -> None:
        async with agents(engine) as line:
            await line.session.send_message("Hello")
            await line.until("audio")
            await line.session.interrupt()
            await line.until_received("conversation.item.truncated")
            voice.free.set()
            await line.until_received("response.done")
            await line.session.send_message("And what then?")
            await line.until_received("response.done", 2)

        assert any(event.type == "audio_interrupted" for event in line.told)

    with_engine(test, voice=voice)


def test_the_official_client_finishes_a_tool_turn() -> None:
    """Its function is called with arguments from what was said, and what came of it is spoken."""
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tool: Any = {"type": "function", "name": "get_weather", "description": "The weather.", "parameters": parameters}

    async def test(engine: Engine) -> None:
        async with official(engine) as line:
            await line.session.update(session={"type": "realtime", "tools": [tool]})
            await line.conversation.item.create(
                item={
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": "What is the weather in Pune?"}],
                }
            )
            await line.response.create()
            called = await until(line, "response.done")
            whole = called["response.function_call_arguments.done"]
            assert (whole["name"], whole["arguments"]) == ("get_weather", '{"city":"Pune"}')
            output: Any = {"type": "function_call_output", "call_id": whole["call_id"], "output": '{"degrees": 31}'}
            await line.conversation.item.create(item=output)
            await line.response.create()
            said = await until(line, "response.done")

        assert "degrees 31" in said["response.output_audio_transcript.done"]["transcript"]

    with_engine(test)


def test_openai_agents_finishes_a_tool_turn() -> None:
    """It runs the function that it is called for and returns what came of it, which is spoken."""

    async def test(engine: Engine) -> None:
        async with agents(engine) as line:
            await line.session.send_message("Please look up Saturn")
            await line.until("tool_end")
            await line.until_received("response.done", 2)

        (ended,) = [event for event in line.told if event.type == "tool_end"]
        assert (ended.tool.name, ended.output) == ("look_up", "Please look up Saturn")
        said = [each for each in line.received if each["type"] == "response.output_audio_transcript.done"]
        assert [each["transcript"] for each in said] == ["Here is what I found: Please look up Saturn."]

    with_engine(test)
