"""openai-agents: a typed turn, a turn with a tool, a spoken turn, an interruption."""
# mypy: ignore-errors

import asyncio
import sys
from contextlib import asynccontextmanager

from agents import function_tool
from agents.realtime import OpenAIRealtimeWebSocketModel, RealtimeAgent, RealtimeRunner
from common import Features, question

URL, TOKEN, CLIP = sys.argv[1:4]
MODEL = "gpt-realtime-2.1"
asked = []


@function_tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    asked.append(city)
    return "31 degrees"


@asynccontextmanager
async def line():
    agent = RealtimeAgent(name="Mohit", instructions="You are Mohit.", tools=[get_weather])
    runner = RealtimeRunner(agent, model=OpenAIRealtimeWebSocketModel())
    url = f"ws://{URL}/v1/realtime?model={MODEL}"
    config = {"url": url, "api_key": TOKEN, "initial_model_settings": {"model_name": MODEL}}
    async with await runner.run(model_config=config) as session:
        yield session


async def until(session, kind: str, count: int = 1):
    """Listen until there were so many of a kind, of the session or of its server."""
    async for event in session:
        if event.type == "error":
            raise RuntimeError(str(event.error))
        raw = event.data.data if event.type == "raw_model_event" and event.data.type == "raw_server_event" else {}
        if kind in (event.type, raw.get("type")):
            count -= 1
            if not count:
                return raw
    raise RuntimeError("the session ended")


async def speak(session) -> None:
    for frame in question(CLIP):
        await session.send_audio(frame)


async def typed() -> None:
    async with line() as session:
        await session.send_message("Will I marry?")
        done = await until(session, "response.output_audio_transcript.done")
        assert "marry" in done["transcript"]


async def tool() -> None:
    async with line() as session:
        await session.send_message("What is the weather in Pune?")
        done = await until(session, "response.output_audio_transcript.done")
        assert asked == ["Pune"], asked
        assert "31 degrees" in done["transcript"]


async def speech() -> None:
    async with line() as session:
        await speak(session)
        await until(session, "response.done")


async def interruption() -> None:
    async with line() as session:
        await session.send_message("Will I marry?")
        await until(session, "audio")
        await speak(session)
        done = await until(session, "response.done")
        assert done["response"]["status_details"]["reason"] == "turn_detected"


asyncio.run(Features(typed=typed, tool=tool, speech=speech, interruption=interruption).run())
