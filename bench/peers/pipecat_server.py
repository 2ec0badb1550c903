"""A minimal server with pipecat: a pipeline with OpenAIRealtimeLLMService for each caller. `... UPSTREAM_URL`."""
# mypy: ignore-errors

import asyncio
import json
import socket
import sys

import uvicorn
import uvloop
from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.frames.frames import (
    InputAudioRawFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputTransportMessageFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.serializers.base_serializer import FrameSerializer
from pipecat.services.openai.realtime import events
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.workers.runner import WorkerRunner

from bench.peers.common import ACK, CLEAR, DONE, GREETING, INSTRUCTIONS, RATE, STARTED, VOICE, announce, identifier

URL = sys.argv[1]
SESSION = events.SessionProperties(
    instructions=INSTRUCTIONS,
    output_modalities=["audio"],
    audio=events.AudioConfiguration(
        input=events.AudioInput(format=events.PCMAudioFormat(), turn_detection=events.TurnDetection()),
        output=events.AudioOutput(format=events.PCMAudioFormat(), voice=VOICE),
    ),
)
GREET = events.ResponseCreateEvent(response=events.ResponseProperties(instructions=GREETING, tool_choice="none"))
logger.remove()
app = FastAPI()


class Raw(FrameSerializer):
    """Audio as binary frames, messages as JSON."""

    async def serialize(self, frame):
        if isinstance(frame, OutputAudioRawFrame):
            return frame.audio
        if isinstance(frame, InterruptionFrame):
            return CLEAR
        if isinstance(frame, OutputTransportMessageFrame):  # in order with the audio
            return json.dumps(frame.message)
        return None

    async def deserialize(self, data):
        return InputAudioRawFrame(data, RATE, 1) if isinstance(data, bytes) else None


class Service(OpenAIRealtimeLLMService):
    """pipecat's service, which tells the caller when it is ready, greets, and names the caller to the model."""

    def __init__(self, user: str) -> None:
        super().__init__(api_key="none", base_url=URL, settings=self.Settings(session_properties=SESSION))
        self._user, self._greeted = user, False

    async def _auth_headers(self):
        return {**await super()._auth_headers(), **identifier(self._user)}

    async def _handle_evt_session_updated(self, evt) -> None:
        await super()._handle_evt_session_updated(evt)
        if not self._greeted:
            self._greeted = True
            await self._tell(ACK)
            await self.send_client_event(GREET)

    async def _handle_evt_response_created(self, evt) -> None:
        await self._tell(STARTED)
        await super()._handle_evt_response_created(evt)

    async def _handle_evt_response_done(self, evt) -> None:
        await super()._handle_evt_response_done(evt)
        await self._tell(DONE)

    async def _tell(self, message: str) -> None:
        await self.push_frame(OutputTransportMessageFrame(message=json.loads(message)))


@app.websocket("/ws/{user_id}")
async def answer(socket: WebSocket, user_id: str) -> None:
    """Serve one call."""
    await socket.accept()
    params = FastAPIWebsocketParams(audio_in_enabled=True, audio_out_enabled=True, serializer=Raw())
    transport = FastAPIWebsocketTransport(socket, params)
    rates = PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE)
    pipeline = Pipeline([transport.input(), Service(user_id), transport.output()])
    worker = PipelineWorker(pipeline, params=rates, cancel_on_idle_timeout=False, enable_rtvi=False)

    @transport.event_handler("on_client_disconnected")
    async def gone(*_) -> None:
        await worker.cancel()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()


async def _serve() -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", ws_per_message_deflate=False, backlog=1024)
    serving = asyncio.create_task(uvicorn.Server(config).serve(sockets=[listener]))
    await asyncio.sleep(1)
    await announce(listener.getsockname()[1], "pipecat")
    serving.cancel()


uvloop.run(_serve())
