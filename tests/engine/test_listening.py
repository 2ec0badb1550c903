"""The real detector, ear and voice on a real socket: recorded questions, streamed, find their turns."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect

from audio.codec import decode
from engine.ear.ear import Ear
from engine.ear.vad import Silero, speech_seconds
from engine.mind.mind import Mind
from engine.parts import Parts
from engine.server import PATH, Server
from engine.voice.voice import Voice
from realtime.server.settings import Event
from tests.engine.sockets import Engine, append, ask, receive, receive_until, send, with_engine
from tests.engine.stand_ins import kinds
from tests.kit.parts import RATE, ScriptedEar
from tests.kit.story import run, until

CLIPS = Path(__file__).parents[2] / "clips"
PROMPT = "# Language\nLanguage: {}. Speak it.\n\n# Expertise\nVedic Marriage: marriage\n"
LANGUAGES = {"en": "English (en)", "hi": "Hindi (hi)"}
SPOKEN = {
    "en_come_back": ("boyfriend come back", "come back"),
    "en_proposal": ("marriage proposal", "marriage proposal"),
    "hi_love_me": ("प्यार", "प्यार"),
    "hi_marriage_delay": ("शादी", "विवाह में देरी"),
}
FRAME_20_MS = 960  # bytes
SECOND = RATE * 2

pytestmark = pytest.mark.skipif(not CLIPS.exists(), reason="the recorded questions are not in this tree")


@pytest.fixture(scope="module")
def parts() -> Iterator[Parts]:
    parts = Parts(Voice(), Ear(), speech_seconds, Mind(), Silero)
    yield parts
    parts.close()


def streamed(name: str) -> bytes:
    """A recorded question with a second before and after it, all of it in the noise of a quiet room, -60 dBFS."""
    clip = np.frombuffer(bytes(SECOND) + decode((CLIPS / f"{name}.m4a").read_bytes()) + bytes(SECOND), "<i2")
    noise = 30 * np.random.default_rng(1).standard_normal(len(clip))
    return np.clip(clip + noise, -32_768, 32_767).astype("<i2").tobytes()


async def answered(socket: ClientConnection) -> list[Event]:
    """The events until a response is completed and the transcript has come."""
    events: list[Event] = []
    while not {"response.done", "conversation.item.input_audio_transcription.completed"} <= set(kinds(events)):
        events.append(await receive(socket))
    return events


@pytest.mark.parametrize("name", SPOKEN)
def test_a_question_is_one_turn(parts: Parts, name: str) -> None:
    """Streamed in 20 ms appends each clip begins and ends once, is understood, and is answered."""
    # 500 ms: one of the callers makes a pause of 224 ms, which the 200 ms of the default take for the end.

    async def whole() -> None:
        async with (
            Server(parts, token=None).listen("127.0.0.1", 0) as port,
            connect(f"ws://127.0.0.1:{port}{PATH}?model=m", proxy=None) as socket,
        ):
            heard = {
                "transcription": {"model": "gpt-transcribe"},
                "turn_detection": {"type": "server_vad", "silence_duration_ms": 500},
            }
            prompt = PROMPT.format(LANGUAGES[name[:2]])
            session = {"type": "realtime", "instructions": prompt, "audio": {"input": heard}}
            await send(socket, "session.update", session=session)
            audio = streamed(name)
            await append(socket, audio, FRAME_20_MS)
            events = await answered(socket)

            said = {event["type"]: event for event in events}
            assert kinds(events).count("input_audio_buffer.speech_started") == 1
            started = said["input_audio_buffer.speech_started"]["audio_start_ms"]
            stopped = said["input_audio_buffer.speech_stopped"]["audio_end_ms"]
            assert 500 < started < stopped < len(audio) // 48
            words, topic = SPOKEN[name]
            transcript = said["conversation.item.input_audio_transcription.completed"]["transcript"]
            assert [word for word in words.split() if word not in transcript.lower()] == []
            assert topic in said["response.output_audio_transcript.done"]["transcript"]
            assert said["response.done"]["response"]["status"] == "completed"

    run(whole())


def test_a_caller_interrupts() -> None:
    """Somebody who begins to speak while the voice is at work ends the response, and gets an answer of their own."""

    async def test(engine: Engine) -> None:
        engine.voice.free.clear()
        async with engine.call() as socket:
            await ask(socket, "Will I marry?")
            await until(lambda: bool(engine.voice.asked))
            await append(socket, streamed("en_come_back"), FRAME_20_MS)
            cut = (await receive_until(socket, "response.done"))[-1]["response"]
            assert (cut["status"], cut["status_details"]["reason"]) == ("cancelled", "turn_detected")
            engine.voice.free.set()
            events = await receive_until(socket, "response.done")
            assert kinds(events).count("input_audio_buffer.speech_started") == 0
            assert events[-1]["response"]["status"] == "completed"

    with_engine(test, ear=ScriptedEar("Will he come back?"), detector=Silero)
