"""The limit of the stack: a relay with every lever that helps. `python -m bench.straight_relay UPSTREAM_URL`.

It does what bench/relay.py does, by the same two libraries, and skips what they do around a frame:

- aiohttp's parser puts a frame of the caller into a queue of ours, whose `feed_data` sends it upstream at once;
- an upstream frame is written on the transport of websockets' connection, with a mask from a pool of random keys;
- what the upstream sends is handled where websockets has parsed it, and written on the caller's transport;
- base64 is pybase64's, and no task is woken for a frame.

There is no backpressure: what a peer does not read waits in memory.
"""

import asyncio
import gc
import hashlib
import os
import ssl
import struct
import sys
from typing import Any, cast

import orjson
import uvloop
from aiohttp import WSMsgType, web
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader
from pybase64 import b64decode, b64encode
from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import Frame, Opcode
from websockets.protocol import Event
from websockets.speedups import apply_mask

from bench.marks import CODED_FRAME
from bench.relay import GREETING, SETUP

APPEND = b'{"type":"input_audio_buffer.append","audio":"%b"}'
USUAL = len(APPEND) - 2 + CODED_FRAME  # bytes of an append of 20 ms
TEXT, BINARY, PONG = 0x81, 0x82, 0x8A  # first bytes of frames that are whole
LONG, LONGER = 126, 127
HEAD = struct.pack("!BBH", TEXT, 0x80 | LONG, USUAL)
KEYS = 4096  # bytes of random, drawn at once: a mask is four of them
MAX_FRAME = 2**24


class Masks:
    """Random masks of four bytes, many of which are drawn from the system at once."""

    def __init__(self) -> None:
        self._pool, self._at = b"", 0

    def take(self) -> bytes:
        """A mask that was not used before."""
        if self._at == len(self._pool):
            self._pool, self._at = os.urandom(KEYS), 0
        self._at += 4
        return self._pool[self._at - 4 : self._at]


MASKS = Masks()


class FromCaller(WebSocketDataQueue):
    """Takes what aiohttp's parser has read of a caller, and sends it upstream. `over` is set at the end."""

    def __init__(self, request: web.Request, upstream: "ToUpstream", over: asyncio.Event) -> None:
        super().__init__(request.protocol, 2**16, loop=asyncio.get_running_loop())
        self._append, self._pong, self._over = upstream.append, upstream.tell, over

    def feed_data(self, data: Any, size: int) -> None:
        """A frame was parsed."""
        if data.type is WSMsgType.BINARY:
            self._append(data.data)
        elif data.type is WSMsgType.PING:
            self._pong(PONG, data.data)
        elif data.type is WSMsgType.CLOSE:
            self._over.set()

    def feed_eof(self) -> None:
        """The caller is gone."""
        self._over.set()

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        """The caller is gone, or has broken the protocol."""
        self._over.set()


class ToUpstream(ClientConnection):
    """websockets' connection: its handshake, parser and keepalive; a frame of data passes by its queues."""

    caller: asyncio.WriteTransport
    over: asyncio.Event

    def append(self, pcm: bytes) -> None:
        """Send audio of the caller."""
        payload = APPEND % b64encode(pcm)
        mask = MASKS.take()
        head = HEAD if len(payload) == USUAL else _head(TEXT, len(payload), 0x80)
        self.transport.write(head + mask + apply_mask(payload, mask))

    def say(self, event: bytes) -> None:
        """Send an event."""
        mask = MASKS.take()
        self.transport.write(_head(TEXT, len(event), 0x80) + mask + apply_mask(event, mask))

    def tell(self, first: int, payload: bytes) -> None:
        """Send the caller a frame; `first` is its first byte."""
        self.caller.write(_head(first, len(payload)) + payload)

    def process_event(self, event: Event) -> None:
        """A frame was parsed."""
        if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
            self._pass_on(orjson.loads(event.data))
        else:
            super().process_event(event)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if hasattr(self, "over"):
            self.over.set()

    def _pass_on(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "response.output_audio.delta":
                pcm = b64decode(event["delta"])
                self.tell(BINARY, pcm)
            case "response.created":
                self.tell(TEXT, b'{"type":"response_started"}')
            case "response.done":
                self.tell(TEXT, b'{"type":"response_done"}')
            case "input_audio_buffer.speech_started":
                self.tell(TEXT, b'{"type":"clear"}')
            case "session.updated":
                self.tell(TEXT, b'{"type":"config_ack"}')
                self.say(GREETING)


def _head(first: int, length: int, masked: int = 0) -> bytes:
    """The head of a frame, without its mask."""
    if length < LONG:
        return bytes((first, masked | length))
    if length < 2**16:
        return struct.pack("!BBH", first, masked | LONG, length)
    return struct.pack("!BBQ", first, masked | LONGER, length)


class Relay:
    """Relays each caller to the upstream at `url`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._tls = ssl.create_default_context() if url.startswith("wss:") else None

    async def answer(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one call."""
        caller = web.WebSocketResponse(compress=False)
        await caller.prepare(request)
        transport = cast(asyncio.Transport, request.transport)  # uvloop's own class says that it is none
        identifier = hashlib.sha256(request.match_info["user_id"].encode()).hexdigest()[:32]
        over = asyncio.Event()

        def opened(*args: Any, **kwargs: Any) -> ToUpstream:
            upstream = ToUpstream(*args, **kwargs)
            upstream.caller, upstream.over = transport, over
            return upstream

        async with connect(
            self._url,
            additional_headers={"OpenAI-Safety-Identifier": identifier},
            create_connection=opened,  # type: ignore[arg-type]  # it is only called
            ssl=self._tls,
            compression=None,
            max_size=MAX_FRAME,
            proxy=None,
        ) as upstream:
            assert isinstance(upstream, ToUpstream)
            queue = FromCaller(request, upstream, over)
            parser = WebSocketReader(queue, MAX_FRAME, compress=False, decode_text=False)
            request.protocol._payload_parser = parser  # in place of aiohttp's, before the caller says anything
            upstream.say(SETUP)
            await over.wait()
        transport.close()
        return caller


async def _serve(url: str) -> None:
    app = web.Application()
    app.router.add_get("/ws/{user_id}", Relay(url).answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    host, port = runner.addresses[0][:2]
    gc.freeze()
    print(f"listening on http://{host}:{port}, a relay with straight frames", file=sys.stderr, flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until the parent closes it, or ends


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1]))
