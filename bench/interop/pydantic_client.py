"""pydantic-ai: a typed turn, a turn with a tool, a spoken turn."""
# mypy: ignore-errors

import asyncio
import sys

from common import Features, question
from pydantic_ai import Agent
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.realtime.openai import OpenAIRealtimeModel

URL, TOKEN, CLIP = sys.argv[1:4]
model = OpenAIRealtimeModel("gpt-realtime-2.1", provider=OpenAIProvider(base_url=f"http://{URL}/v1", api_key=TOKEN))
agent = Agent(instructions="You are Mohit.")
asked = []


@agent.tool_plain
def get_weather(city: str) -> str:
    """The weather of a city."""
    asked.append(city)
    return "31 degrees"


def spoken(session) -> str:
    return " ".join(str(part) for message in session.all_messages() for part in message.parts)


async def typed() -> None:
    async with agent.realtime(model).session() as session:
        await session.send("Will I marry?")
        await session.wait_for_reply()
        assert "marry" in spoken(session).lower()


async def tool() -> None:
    async with agent.realtime(model).session() as session:
        await session.send("What is the weather in Pune?")
        await session.wait_for_reply()
        assert asked == ["Pune"], asked
        assert "31 degrees" in spoken(session).split("weather in Pune", 1)[1]


async def speech() -> None:
    async with agent.realtime(model).session() as session:
        for frame in question(CLIP):
            await session.send_audio(frame)
        async for event in session:
            if type(event).__name__ == "RealtimeTurnCompleteEvent":
                return


asyncio.run(Features(typed=typed, tool=tool, speech=speech).run())
