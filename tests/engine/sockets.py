"""Runs a server of the engine on a real socket, and sends events to it."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from websockets.asyncio.client import ClientConnection, connect

from engine.ear.vad import Loudness
from engine.mind.mind import Mind
from engine.parts import Ear, Parts
from engine.server import Server
from engine.speech_cache import SpeechCache
from engine.worker import Workers
from realtime.server.hearing import Detector
from realtime.server.settings import Event
from tests.kit.parts import ScriptedEar, Tones, loud
from tests.kit.shapes import check_server_event
from tests.kit.story import WITHIN, run, until

TOKEN = "a-token"


@dataclass
class Engine:
    server: Server
    parts: Parts
    voice: Tones
    port: int

    @property
    def ear(self) -> Any:
        return self.parts.ear

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/realtime"

    @asynccontextmanager
    async def call(self, token: str = TOKEN, query: str = "?model=gpt-realtime-2.1") -> AsyncIterator[ClientConnection]:
        headers = {"Authorization": f"Bearer {token}"}
        async with connect(self.url + query, additional_headers=headers, compression=None, proxy=None) as socket:
            yield socket

    async def get(self, path: str, token: str = TOKEN) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            aiohttp.ClientSession() as client,
            client.get(f"http://127.0.0.1:{self.port}{path}", headers=headers) as response,
        ):
            return response.status, await response.json()


def with_engine(
    test: Callable[[Engine], Awaitable[None]],
    *,
    ear: Ear | None = None,
    detector: Callable[[], Detector] = Loudness,
    voice: Tones | None = None,
    workers: Workers | None = None,
    speech_cache: SpeechCache | None = None,
    **behaviour: Any,
) -> None:
    """Run a test against a server of its own, and check that no task, socket or job is left."""

    async def whole() -> None:
        speaks = voice or Tones(0.3, letters=10)
        hears = ear or ScriptedEar()
        parts = Parts(speaks, hears, loud, Mind(), detector, workers or Workers(2), speech_cache or SpeechCache())
        server = Server(parts, token=TOKEN, **behaviour)
        before = asyncio.all_tasks()
        try:
            async with server.listen("127.0.0.1", 0) as port:
                await test(Engine(server, parts, speaks, port))
        finally:
            speaks.free.set()
            parts.close()
        assert not server.calls
        assert asyncio.all_tasks() == before
        await until(lambda: parts.queued == 0)

    run(whole())


async def send(socket: ClientConnection, kind: str, **fields: Any) -> None:
    await socket.send(json.dumps({"type": kind, **fields}))


async def receive(socket: ClientConnection) -> Event:
    async with asyncio.timeout(WITHIN):
        event: Event = json.loads(await socket.recv())
    check_server_event(event)
    return event


async def receive_until(socket: ClientConnection, kind: str) -> list[Event]:
    events = [await receive(socket)]
    while events[-1]["type"] != kind:
        events.append(await receive(socket))
    return events


async def append(socket: ClientConnection, pcm: bytes, size: int) -> None:
    """Append audio in pieces of so many bytes, as fast as the server reads."""
    for at in range(0, len(pcm), size):
        await send(socket, "input_audio_buffer.append", audio=b64encode(pcm[at : at + size]).decode())


async def by_hand(socket: ClientConnection) -> None:
    """Disable turn detection: the client commits and creates responses itself."""
    audio = {"input": {"turn_detection": None}}
    await send(socket, "session.update", session={"type": "realtime", "audio": audio})


async def ask(socket: ClientConnection, text: str) -> None:
    content = [{"type": "input_text", "text": text}]
    await send(socket, "conversation.item.create", item={"type": "message", "role": "user", "content": content})
    await send(socket, "response.create")
