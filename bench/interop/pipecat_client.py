"""pipecat: a typed turn, a turn with a tool, a spoken turn, and speech to text, each in a pipeline of its own."""
# mypy: ignore-errors

import asyncio
import sys

from common import Features, question
from loguru import logger
from pipecat.adapters.schemas.function_schema import FunctionSchema
from pipecat.adapters.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import (
    ErrorFrame,
    InputAudioRawFrame,
    LLMRunFrame,
    TranscriptionFrame,
    TTSTextFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.services.openai.stt import OpenAIRealtimeSTTService

URL, TOKEN, CLIP = sys.argv[1:4]
RATES = PipelineParams(audio_in_sample_rate=24_000, audio_out_sample_rate=24_000)
WEATHER = FunctionSchema("get_weather", "The weather of a city.", {"city": {"type": "string"}}, ["city"])
logger.remove()


class Watcher(FrameProcessor):
    """Notes the words that pass, and the errors in either direction."""

    def __init__(self) -> None:
        super().__init__()
        self.words = ""
        self.news = asyncio.Event()
        self.failed = None

    async def process_frame(self, frame, direction) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSTextFrame | TranscriptionFrame):
            self.words += frame.text + " "
        if isinstance(frame, ErrorFrame):
            self.failed = frame.error
        self.news.set()
        await self.push_frame(frame, direction)

    async def until(self, *words: str) -> None:
        while not any(word in self.words.lower() for word in words):
            await self.news.wait()
            self.news.clear()
            if self.failed:
                raise RuntimeError(self.failed)


class Line:
    """A pipeline that runs."""

    def __init__(self, text: str = "", service=None) -> None:
        self.service = service or OpenAIRealtimeLLMService(api_key=TOKEN, base_url=f"ws://{URL}/v1/realtime")
        self.watcher, self.before = Watcher(), Watcher()
        tools = ToolsSchema(standard_tools=[WEATHER])
        self.context = LLMContext([{"role": "user", "content": text}] if text else [], tools)
        pair = LLMContextAggregatorPair(self.context)
        around = [pair.user(), self.before, self.service, self.watcher, pair.assistant()]
        self.task = PipelineTask(
            Pipeline(around if service is None else [self.before, self.service, self.watcher]), params=RATES
        )

    async def __aenter__(self):
        self.running = asyncio.create_task(PipelineRunner(handle_sigint=False).run(self.task))
        return self

    async def __aexit__(self, *_) -> None:
        await self.task.cancel()
        await self.running

    async def speak(self) -> None:
        for frame in question(CLIP):
            await self.task.queue_frame(InputAudioRawFrame(frame, 24_000, 1))
            await asyncio.sleep(0.02)


async def typed() -> None:
    async with Line("Will I marry?") as line:
        await line.task.queue_frame(LLMRunFrame())
        await line.watcher.until("marry")


async def tool() -> None:
    asked = []

    async def get_weather(params) -> None:
        asked.append(dict(params.arguments))
        await params.result_callback("31 degrees")

    async with Line("What is the weather in Pune?") as line:
        line.service.register_function("get_weather", get_weather)
        await line.task.queue_frame(LLMRunFrame())
        await line.watcher.until("31 degrees")
        assert asked == [{"city": "Pune"}], asked


async def speech() -> None:
    async with Line("Hello") as line:
        await line.task.queue_frame(LLMRunFrame())
        await line.watcher.until(" ")
        line.watcher.words = ""
        await line.speak()
        await line.watcher.until(" ")


async def transcription() -> None:
    ears = OpenAIRealtimeSTTService(api_key=TOKEN, base_url=f"ws://{URL}/v1/realtime", turn_detection=None)
    async with Line(service=ears) as line:
        await line.speak()
        await line.watcher.until(" ")


asyncio.run(Features(typed=typed, tool=tool, speech=speech, transcription=transcription).run())
