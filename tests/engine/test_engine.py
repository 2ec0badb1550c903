"""The whole engine with its real voice, ear and mind, as the child process that `serve` starts."""

from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import av
import pytest
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from engine.child import Child
from realtime.contract import SAY_EXACTLY
from realtime.server.settings import Event
from tests.engine.stand_ins import kinds
from tests.kit.parts import RATE
from tests.kit.story import run

TOKEN = "a-token"
CLIPS = Path(__file__).parents[2] / "clips"
PROMPT = "# Language\nLanguage: {}. Speak it.\n\n# Expertise\nVedic Marriage: marriage\n"


def clip(name: str) -> bytes:
    """A recorded question as PCM16 24 kHz mono."""
    to_pcm = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    with av.open(str(CLIPS / f"{name}.m4a")) as recording:
        frames = [out for frame in recording.decode(audio=0) for out in to_pcm.resample(frame)]
    return b"".join(frame.to_ndarray().tobytes() for frame in frames)


async def configure(line: AsyncRealtimeConnection, language: str, voice: str) -> None:
    code = language[-3:-1]
    heard: Any = {"transcription": {"model": "gpt-transcribe", "language": code}, "turn_detection": None}
    await line.session.update(
        session={
            "type": "realtime",
            "instructions": PROMPT.format(language),
            "audio": {"input": heard, "output": {"voice": voice}},
        }
    )


async def turn(line: AsyncRealtimeConnection) -> dict[str, Event]:
    """Events up to response.done: the last of each type; under "audio" all audio."""
    events: list[Event] = []
    while not events or events[-1]["type"] != "response.done":
        events.append((await line.recv()).model_dump())
        assert events[-1]["type"] != "error", events[-1]
    audio = [b64decode(event["delta"]) for event in events if event["type"] == "response.output_audio.delta"]
    assert kinds(events)[-2] == "response.output_item.done"
    return {**{event["type"]: event for event in events}, "audio": {"pcm": b"".join(audio)}}


async def ask_clip(line: AsyncRealtimeConnection, name: str) -> tuple[str, str, bytes]:
    """The transcript, the answer, and its audio."""
    await line.input_audio_buffer.append(audio=b64encode(clip(name)).decode())
    await line.input_audio_buffer.commit()
    await line.response.create()
    events = await turn(line)
    heard = events["conversation.item.input_audio_transcription.completed"]["transcript"]
    return heard, events["response.output_audio_transcript.done"]["transcript"], events["audio"]["pcm"]


@pytest.mark.skipif(not CLIPS.exists(), reason="the recorded questions are not in this tree")
def test_the_engine_listens_and_speaks() -> None:
    """Started as a child, the engine greets word for word, and answers recorded questions in both languages."""

    async def whole() -> None:
        child = Child(TOKEN)
        progress: list[str] = []
        url = await child.start(progress.append)
        try:
            base = url.removesuffix("/realtime")
            async with AsyncOpenAI(api_key=TOKEN, websocket_base_url=base) as client:
                await english(client)
                await hindi(client)
        finally:
            await child.stop()
        assert progress[:2] == ["loading the voice", "loading the ear"]

    async def english(client: AsyncOpenAI) -> None:
        async with client.realtime.connect(model="gpt-realtime-2.1") as line:
            await configure(line, "English (en)", "cedar")
            greeting = "Hello, I am Mohit. What would you like to ask?"
            said = f"{PROMPT}\n{SAY_EXACTLY}\n{greeting}"
            await line.response.create(response={"instructions": said, "input": []})
            greeted = await turn(line)
            assert greeted["response.output_audio_transcript.done"]["transcript"] == greeting
            assert 2 < len(greeted["audio"]["pcm"]) / 2 / RATE < 6

            heard, answered, pcm = await ask_clip(line, "en_proposal")
            assert "marriage proposal" in heard
            assert "seventh house" in answered
            assert len(pcm) / 2 / RATE > 5

    async def hindi(client: AsyncOpenAI) -> None:
        async with client.realtime.connect(model="gpt-realtime-2.1") as line:
            await configure(line, "Hindi (hi)", "marin")
            heard, answered, pcm = await ask_clip(line, "hi_marriage_delay")
            assert "शादी" in heard
            assert "विवाह में देरी" in answered
            assert len(pcm) / 2 / RATE > 5

    run(whole())
