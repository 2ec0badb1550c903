"""LiveKit's plugin for OpenAI: a reply, a turn with a tool, a spoken turn, an interruption, and speech to text."""
# mypy: ignore-errors

import asyncio
import sys

import aiohttp
from common import Features, question
from livekit import rtc
from livekit.agents.llm import FunctionCallOutput, function_tool
from livekit.plugins import openai
from livekit.plugins.openai.realtime import RealtimeModel

URL, TOKEN, CLIP = sys.argv[1:4]


@function_tool
async def get_weather(city: str) -> str:
    """The weather of a city."""
    return "31 degrees"


class Line:
    """A session of the plugin, and the errors that it reported."""

    async def __aenter__(self):
        self.http = aiohttp.ClientSession()
        model = RealtimeModel(base_url=f"http://{URL}/v1", api_key=TOKEN, model="gpt-realtime", http_session=self.http)
        self.session = model.session()
        self.errors = []
        self.session.on("error", self.errors.append)
        self.generations = asyncio.Queue()
        self.session.on("generation_created", self.generations.put_nowait)
        return self

    async def __aexit__(self, *_) -> None:
        await self.session.aclose()
        await self.http.close()
        if self.errors and _[0] is None:
            raise RuntimeError(str(self.errors[0].error))

    async def ask(self, text: str) -> None:
        context = self.session.chat_ctx.copy()
        context.add_message(role="user", content=text)
        await self.session.update_chat_ctx(context)


async def text_of(generation) -> str:
    said = ""
    async for message in generation.message_stream:
        async for words in message.text_stream:
            said += words
    return said


async def typed() -> None:
    async with Line() as line:
        await line.ask("Will I marry?")
        assert "marry" in await text_of(await line.session.generate_reply())


async def tool() -> None:
    async with Line() as line:
        await line.session.update_tools([get_weather])
        await line.ask("What is the weather in Pune?")
        generation = await line.session.generate_reply()
        calls = [call async for call in generation.function_stream]
        assert [call.arguments for call in calls] == ['{"city":"Pune"}'], calls
        context = line.session.chat_ctx.copy()
        output = FunctionCallOutput(name=calls[0].name, call_id=calls[0].call_id, output="31 degrees", is_error=False)
        context.items.append(output)
        await line.session.update_chat_ctx(context)
        assert "31 degrees" in await text_of(await line.session.generate_reply())


async def push(line: Line) -> None:
    for frame in question(CLIP):
        line.session.push_audio(rtc.AudioFrame(frame, 24_000, 1, len(frame) // 2))
        await asyncio.sleep(0.02)


async def speech() -> None:
    async with Line() as line:
        heard = asyncio.Queue()
        line.session.on("input_audio_transcription_completed", heard.put_nowait)
        await push(line)
        assert (await heard.get()).transcript
        assert await text_of(await line.generations.get())


async def interruption() -> None:
    async with Line() as line:
        await line.ask("Will I marry?")
        began = asyncio.Event()
        line.session.on("input_speech_started", lambda _: began.set())
        generation = await line.session.generate_reply()
        reading = asyncio.create_task(text_of(generation))
        await push(line)
        await began.wait()
        await reading
        assert await text_of(await line.generations.get()) is not None


async def transcription() -> None:
    async with aiohttp.ClientSession() as http:
        ears = openai.STT(base_url=f"http://{URL}/v1", api_key=TOKEN, use_realtime=True, model="gpt-4o-transcribe")
        ears._session = http
        stream = ears.stream()
        for frame in question(CLIP):
            stream.push_frame(rtc.AudioFrame(frame, 24_000, 1, len(frame) // 2))
        async for event in stream:
            if event.type == "final_transcript":
                assert event.alternatives[0].text
                break
        await stream.aclose()


async def main() -> None:
    features = Features(typed=typed, tool=tool, speech=speech, interruption=interruption, transcription=transcription)
    await features.run()


asyncio.run(main())
