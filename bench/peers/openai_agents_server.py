"""A minimal server with openai-agents: a RealtimeSession for each caller. `... UPSTREAM_URL`."""
# mypy: ignore-errors

import asyncio
import sys

import uvloop
from agents.realtime import OpenAIRealtimeWebSocketModel, RealtimeAgent, RealtimeRunner
from agents.realtime.model_inputs import RealtimeModelSendRawMessage
from aiohttp import WSMsgType, web

from bench.peers.common import ACK, CLEAR, DONE, GREETING, INSTRUCTIONS, STARTED, VOICE, announce, identifier

PCM = {"type": "audio/pcm", "rate": 24_000}
SETTINGS = {
    "output_modalities": ["audio"],
    "audio": {
        "input": {"format": PCM, "turn_detection": {"type": "server_vad"}},
        "output": {"format": PCM, "voice": VOICE},
    },
    "tracing": None,
}
GREET = RealtimeModelSendRawMessage(
    message={
        "type": "response.create",
        "other_data": {"response": {"instructions": GREETING, "input": [], "tool_choice": "none"}},
    }
)
TOLD = {"response.created": STARTED, "response.done": DONE, "input_audio_buffer.speech_started": CLEAR}


class Server:
    """Answers each caller with a session of the runner's."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._agent = RealtimeAgent(name="Peer", instructions=INSTRUCTIONS)

    async def answer(self, request):
        """Serve one call."""
        caller = web.WebSocketResponse(compress=False)
        await caller.prepare(request)
        runner = RealtimeRunner(self._agent, model=OpenAIRealtimeWebSocketModel())
        headers = identifier(request.match_info["user_id"])
        config = {"url": self._url, "api_key": "none", "headers": headers, "initial_model_settings": SETTINGS}
        async with await runner.run(model_config=config) as session:
            down = asyncio.create_task(self._down(session, caller))
            async for frame in caller:
                if frame.type is WSMsgType.BINARY:
                    await session.send_audio(frame.data)
            down.cancel()
        return caller

    async def _down(self, session, caller) -> None:
        greeted = False
        async for event in session:
            if event.type == "audio":
                await caller.send_bytes(event.audio.data)
            elif event.type == "raw_model_event" and event.data.type == "raw_server_event":
                kind = event.data.data["type"]
                if kind in TOLD:
                    await caller.send_str(TOLD[kind])
                elif kind == "session.updated" and not greeted:
                    greeted = True
                    await caller.send_str(ACK)
                    await session.model.send_event(GREET)
        await caller.close()


async def _serve(url: str) -> None:
    app = web.Application()
    app.router.add_get("/ws/{user_id}", Server(url).answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    await announce(runner.addresses[0][1], "openai-agents")


uvloop.run(_serve(sys.argv[1]))
