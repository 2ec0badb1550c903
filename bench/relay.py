"""The baseline: a minimal relay between callers and the model. `python -m bench.relay UPSTREAM_URL`.

One upstream connection per caller, base64 in and out, uvloop, orjson, no compression. It has no sessions, personas,
actors, schemas, pacing, reconnecting or limits: the difference to the server is what these cost.

It is the yardstick of the benchmarks, and is not to be improved: tests/bench/test_relays.py holds it as it is. What the
same libraries can do at best is bench/straight_relay.py.
"""

import asyncio
import hashlib
import ssl
import sys
from base64 import b64decode, b64encode

import orjson
import uvloop
from aiohttp import WSMsgType, web
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from realtime.contract import SAY_EXACTLY

SETUP = orjson.dumps(
    {
        "type": "session.update",
        "session": {
            "type": "realtime",
            "instructions": "Be kind.",
            "output_modalities": ["audio"],
            "audio": {
                "input": {"format": {"type": "audio/pcm", "rate": 24000}, "turn_detection": {"type": "server_vad"}},
                "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin"},
            },
        },
    }
)

GREETING = orjson.dumps(
    {
        "type": "response.create",
        "response": {"instructions": f"{SAY_EXACTLY}\nHello, how can I help you?", "input": [], "tool_choice": "none"},
    }
)


class Relay:
    """Relays each caller to the upstream at `url`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._tls = ssl.create_default_context() if url.startswith("wss:") else None

    async def answer(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one call."""
        caller = web.WebSocketResponse(compress=False)
        await caller.prepare(request)
        identifier = hashlib.sha256(request.match_info["user_id"].encode()).hexdigest()[:32]
        headers = {"OpenAI-Safety-Identifier": identifier}
        async with connect(
            self._url, additional_headers=headers, ssl=self._tls, compression=None, max_size=2**24, proxy=None
        ) as upstream:
            await upstream.send(SETUP, text=True)
            up = asyncio.create_task(self._up(caller, upstream))
            down = asyncio.create_task(self._down(caller, upstream))
            _, pending = await asyncio.wait([up, down], return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
        await caller.close()
        return caller

    async def _up(self, caller: web.WebSocketResponse, upstream: ClientConnection) -> None:
        async for frame in caller:
            if frame.type is WSMsgType.BINARY:
                event = {"type": "input_audio_buffer.append", "audio": b64encode(frame.data).decode()}
                await upstream.send(orjson.dumps(event), text=True)

    async def _down(self, caller: web.WebSocketResponse, upstream: ClientConnection) -> None:
        try:
            async for frame in upstream:
                event = orjson.loads(frame)
                match event["type"]:
                    case "response.output_audio.delta":
                        await caller.send_bytes(b64decode(event["delta"]))
                    case "response.created":
                        await caller.send_str('{"type":"response_started"}')
                    case "response.done":
                        await caller.send_str('{"type":"response_done"}')
                    case "input_audio_buffer.speech_started":
                        await caller.send_str('{"type":"clear"}')
                    case "session.updated":
                        await caller.send_str('{"type":"config_ack"}')
                        await upstream.send(GREETING, text=True)
        except (ConnectionClosed, ConnectionError):
            return


async def _serve(url: str) -> None:
    app = web.Application()
    app.router.add_get("/ws/{user_id}", Relay(url).answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    host, port = runner.addresses[0][:2]
    print(f"listening on http://{host}:{port}, a bare relay", file=sys.stderr, flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until the parent closes it, or ends


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1]))
