"""An engine with too much to do: which turns are refused, and how."""

import asyncio
import threading
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection

from engine.load import Load
from engine.speech_cache import SpeechCache
from engine.worker import Workers
from realtime.contract import SAY_EXACTLY
from realtime.server.settings import Event
from tests.engine.sockets import Engine, append, by_hand, receive_until, send, with_engine
from tests.engine.stand_ins import ENGLISH, kinds
from tests.kit.parts import SECOND, ScriptedEar, Tones, stand
from tests.kit.story import until

FULL = "server_is_overloaded"


class HeldEar(ScriptedEar):
    """An ear that blocks until the test releases it."""

    def __init__(self) -> None:
        super().__init__()
        self.free = threading.Event()

    def hear(self, pcm: bytes, language: str | None) -> str:
        stand(self.free)
        self.lengths.append(len(pcm))
        return "When will I get married?"


def one_at_a_time() -> Workers:
    """One thread, and no job may wait for it."""
    return Workers(1, Load(1, limit=0.0))


async def clip(socket: ClientConnection, pcm: bytes = SECOND) -> None:
    await send(socket, "input_audio_buffer.append", audio=b64encode(pcm).decode())
    await send(socket, "input_audio_buffer.commit")
    await send(socket, "response.create")


async def in_a_call(socket: ClientConnection) -> None:
    """Another connection, which has had an answer before."""
    await by_hand(socket)
    said = [{"type": "output_text", "text": "Namaste."}]
    await send(socket, "conversation.item.create", item={"type": "message", "role": "assistant", "content": said})
    await receive_until(socket, "conversation.item.done")


async def transcribed(socket: ClientConnection) -> None:
    heard = {"transcription": {"model": "gpt-transcribe", "language": "en"}}
    await send(socket, "session.update", session={"type": "realtime", "audio": {"input": heard}})


def failed(event: Event) -> tuple[str, Any]:
    response = event["response"]
    return response["status"], (response["status_details"] or {}).get("error", {}).get("code")


@asynccontextmanager
async def occupied(engine: Engine) -> AsyncIterator[ClientConnection]:
    """Within the context, the ear is busy with a clip of another call."""
    async with engine.call() as socket:
        await in_a_call(socket)
        await clip(socket)
        await until(lambda: engine.parts.queued == 1)
        yield socket


def test_a_clip_that_would_wait_is_refused_and_can_be_said_again() -> None:
    """Transcript and response fail at once; the first call is served, and so is the same clip afterwards."""

    async def test(engine: Engine) -> None:
        async with occupied(engine) as first, engine.call() as second:
            await in_a_call(second)
            await transcribed(second)
            await clip(second)
            events = await receive_until(second, "response.done")
            assert failed(events[-1]) == ("failed", FULL)
            (told,) = [each for each in events if each["type"].endswith("transcription.failed")]
            assert told["error"]["code"] == FULL
            assert kinds(events)[-2:] == ["response.created", "response.done"]
            assert engine.parts.queued == 1
            engine.ear.free.set()
            assert failed((await receive_until(first, "response.done"))[-1]) == ("completed", None)
            await until(lambda: engine.parts.queued == 0)
            await clip(second)
            assert failed((await receive_until(second, "response.done"))[-1]) == ("completed", None)

    with_engine(test, ear=HeldEar(), workers=one_at_a_time())


def test_a_turn_found_in_a_stream_is_refused_likewise() -> None:
    """Server VAD creates the response itself: it fails after it was created, and the next one is served."""

    async def test(engine: Engine) -> None:
        async with occupied(engine) as first, engine.call() as second:
            await in_a_call(second)
            listening = {"turn_detection": {"type": "server_vad"}}
            await send(second, "session.update", session={"type": "realtime", "audio": {"input": listening}})
            await append(second, SECOND + bytes(len(SECOND)), 960)
            events = await receive_until(second, "response.done")
            assert failed(events[-1]) == ("failed", FULL)
            said = kinds(events)
            assert said.index("response.created") < said.index("response.done")
            engine.ear.free.set()
            await receive_until(first, "response.done")
            await until(lambda: engine.parts.queued == 0)
            await append(second, SECOND + bytes(len(SECOND)), 960)
            assert failed((await receive_until(second, "response.done"))[-1]) == ("completed", None)

    with_engine(test, ear=HeldEar(), workers=one_at_a_time())


def test_a_new_call_is_refused_at_its_greeting() -> None:
    """The greeting of a new call is refused if it would come too late."""

    async def test(engine: Engine) -> None:
        async with occupied(engine), engine.call() as new:
            said = f"{ENGLISH}\n\n{SAY_EXACTLY}\nNamaste."
            await send(new, "response.create", response={"instructions": said, "input": []})
            assert failed((await receive_until(new, "response.done"))[-1]) == ("failed", FULL)
            engine.ear.free.set()

    with_engine(test, ear=HeldEar(), workers=one_at_a_time())


def test_an_answer_in_writing_needs_no_place() -> None:
    """A response without audio is not refused."""

    async def test(engine: Engine) -> None:
        async with occupied(engine), engine.call() as writing:
            await send(writing, "response.create", response={"output_modalities": ["text"], "input": []})
            assert failed((await receive_until(writing, "response.done"))[-1]) == ("completed", None)
            engine.ear.free.set()

    with_engine(test, ear=HeldEar(), workers=one_at_a_time())


def test_what_was_heard_is_answered_though_the_engine_is_full_by_then() -> None:
    """The answer to a transcribed turn is not refused: its caller has waited already."""

    async def test(engine: Engine) -> None:
        async with occupied(engine) as first, engine.call() as second:
            await in_a_call(second)
            engine.voice.free.clear()
            engine.ear.free.set()
            await until(lambda: bool(engine.voice.asked))
            await clip(second)
            assert failed((await receive_until(second, "response.done"))[-1]) == ("failed", FULL)
            engine.voice.free.set()
            assert failed((await receive_until(first, "response.done"))[-1]) == ("completed", None)

    with_engine(test, ear=HeldEar(), workers=one_at_a_time())


def test_a_long_clip_lets_others_in_between_its_pieces() -> None:
    """Ninety seconds are several jobs; a short clip that comes meanwhile is transcribed before the last of them."""

    async def test(engine: Engine) -> None:
        async with engine.call() as long, engine.call() as short:
            for socket in (long, short):
                await in_a_call(socket)
            await clip(long, 90 * SECOND)
            await until(lambda: engine.parts.queued == 1)
            await clip(short)
            await until(lambda: engine.parts.queued == 2)
            engine.ear.free.set()
            for socket in (long, short):
                await receive_until(socket, "response.done")
        assert engine.ear.lengths.index(len(SECOND)) == 1
        assert sum(engine.ear.lengths) == 91 * len(SECOND)

    with_engine(test, ear=HeldEar(), workers=Workers(1))


def test_leaving_takes_what_waits_out_of_the_queue() -> None:
    """The jobs of a caller who disconnects, or cancels, leave the queue."""

    async def test(engine: Engine) -> None:
        async with occupied(engine):
            async with engine.call() as second, engine.call() as third:
                for socket in (second, third):
                    await in_a_call(socket)
                await clip(second)
                await until(lambda: engine.parts.queued == 2)
                said = f"{ENGLISH}\n\n{SAY_EXACTLY}\nNamaste."
                await send(third, "response.create", response={"instructions": said, "input": []})
                await until(lambda: engine.parts.queued == 3)
                await send(third, "response.cancel")
                await until(lambda: engine.parts.queued == 2)
            await until(lambda: engine.parts.queued == 1)
            engine.ear.free.set()

    with_engine(test, ear=HeldEar(), workers=Workers(1))


def test_what_was_said_before_is_not_made_again() -> None:
    """The same greeting in the same voice comes from the cache, byte for byte; in another voice it is synthesised."""

    async def greeting(engine: Engine, voice: str) -> list[str]:
        async with engine.call() as socket:
            said = f"{ENGLISH}\n\n{SAY_EXACTLY}\nNamaste. I am Mohit."
            spoken = {"audio": {"output": {"voice": voice}}}
            await send(socket, "response.create", response={"instructions": said, "input": [], **spoken})
            events = await receive_until(socket, "response.done")
        return [each["delta"] for each in events if each["type"].endswith(".delta")]

    async def test(engine: Engine) -> None:
        first = await greeting(engine, "marin")
        assert await greeting(engine, "marin") == first
        assert await greeting(engine, "cedar") != first
        assert [voice for _, voice in engine.voice.asked] == ["marin", "marin", "cedar", "cedar"]

    with_engine(test, speech_cache=SpeechCache(2**20), voice=Tones(0.3, letters=10))


def test_two_workers_hear_two_at_once() -> None:
    """With two threads, the ear and the voice do not wait for each other."""

    class Meeting(ScriptedEar):
        together = threading.Barrier(2, timeout=60)

        def hear(self, pcm: bytes, language: str | None) -> str:
            self.together.wait()
            return "Will I marry?"

    async def test(engine: Engine) -> None:
        async with engine.call() as one, engine.call() as other:
            for socket in (one, other):
                await in_a_call(socket)
                await clip(socket)
            done = await asyncio.gather(*(receive_until(socket, "response.done") for socket in (one, other)))
            assert [failed(events[-1]) for events in done] == [("completed", None)] * 2

    with_engine(test, ear=Meeting(), workers=Workers(2))
