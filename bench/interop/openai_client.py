"""The official client: turns, a tool, an interruption, a telephone, transcription, a client secret, the models."""
# mypy: ignore-errors

import asyncio
import sys
from base64 import b64decode, b64encode
from contextlib import asynccontextmanager

from common import Features, question
from openai import AsyncOpenAI

URL, TOKEN, CLIP = sys.argv[1:4]
MODEL = "gpt-realtime-2.1"
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "name": "get_weather", "description": "The weather.", "parameters": PARAMETERS}


def client(key: str = TOKEN) -> AsyncOpenAI:
    return AsyncOpenAI(api_key=key, base_url=f"http://{URL}/v1", websocket_base_url=f"ws://{URL}/v1", max_retries=0)


@asynccontextmanager
async def line(key: str = TOKEN, **session):
    async with client(key) as api, api.realtime.connect(model=MODEL) as connection:
        if session:
            await connection.session.update(session={"type": "realtime", **session})
        yield connection


async def until(connection, kind: str):
    """The event of this type, and the audio before it."""
    audio = b""
    async for event in connection:
        if event.type == "error":
            raise RuntimeError(event.error.message)
        if event.type == "response.output_audio.delta":
            audio += b64decode(event.delta)
        if event.type == kind:
            return event, audio
    raise RuntimeError("the connection ended")


async def ask(connection, text: str) -> None:
    content = [{"type": "input_text", "text": text}]
    await connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
    await connection.response.create()


async def speak(connection) -> None:
    for frame in question(CLIP):
        await connection.input_audio_buffer.append(audio=b64encode(frame).decode())


async def typed() -> None:
    async with line() as connection:
        await ask(connection, "Will I marry?")
        event, audio = await until(connection, "response.done")
        assert event.response.status == "completed"
        assert audio


async def tool() -> None:
    async with line(tools=[WEATHER]) as connection:
        await ask(connection, "What is the weather in Pune?")
        call, _ = await until(connection, "response.function_call_arguments.done")
        assert call.arguments == '{"city":"Pune"}'
        await until(connection, "response.done")
        output = {"type": "function_call_output", "call_id": call.call_id, "output": "31 degrees"}
        await connection.conversation.item.create(item=output)
        await connection.response.create()
        said, _ = await until(connection, "response.output_audio_transcript.done")
        assert "31 degrees" in said.transcript


async def speech() -> None:
    async with line(audio={"input": {"transcription": {"model": "gpt-transcribe"}}}) as connection:
        await speak(connection)
        heard, _ = await until(connection, "conversation.item.input_audio_transcription.completed")
        assert heard.transcript
        await until(connection, "response.done")


async def interruption() -> None:
    async with line() as connection:
        await ask(connection, "Will I marry?")
        await until(connection, "response.output_audio.delta")
        await speak(connection)
        event, _ = await until(connection, "response.done")
        assert event.response.status_details.reason == "turn_detected"


async def telephone() -> None:
    law = {"type": "audio/pcmu"}
    async with line(audio={"input": {"format": law}, "output": {"format": law}}) as connection:
        await ask(connection, "Will I marry?")
        event, audio = await until(connection, "response.done")
        assert event.response.audio.output.format.type == "audio/pcmu"
        assert audio


async def transcription() -> None:
    async with client() as api, api.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        include = ["item.input_audio_transcription.logprobs"]
        await connection.session.update(session={"type": "transcription", "include": include})
        await speak(connection)
        heard, _ = await until(connection, "conversation.item.input_audio_transcription.completed")
        assert heard.transcript
        assert heard.logprobs[0].logprob < 0


async def secret() -> None:
    async with client() as api:
        given = await api.realtime.client_secrets.create(session={"type": "realtime", "model": MODEL})
        assert [model.id async for model in api.models.list()]
    async with line(given.value) as connection:
        await until(connection, "session.created")


features = Features(
    typed=typed,
    tool=tool,
    speech=speech,
    interruption=interruption,
    telephone=telephone,
    transcription=transcription,
    secret=secret,
)
asyncio.run(features.run())
