"""The fake upstream: connections of the Realtime API with a fake model (model.py), at a low cost of CPU.

It detects speech by the marks in the audio: a frame of speech begins a turn, the first silent one ends it, and the turn
is answered with numbered words of 200 ms, `d00 d01 ...` for the third turn. A reply is sent in one burst, or a word
every `gap` seconds, after `thinking` seconds. Speech is detected after `notice` frames, its end after `pause` silent
frames, and its transcript comes within `writing` seconds. A connection that was killed takes `opening` seconds to open
again. A session that has a `life` announces it when it is created, and expires after it, as the real ones do.
"""

import asyncio
import ssl
from array import array
from collections import Counter
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple, cast

import orjson

from bench import frames
from bench.manner import Manner
from bench.marks import coded, known, now
from bench.model import Model

REFUSED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
APPENDS = b'"input_audio_buffer.append"'
APPEND = b'{"type":' + APPENDS
EXPIRED = (1001).to_bytes(2) + b"session_expired"


class Takeover(NamedTuple):
    """From `at` (seconds) on, a caller's audio comes on another connection. `expired`: the one before had expired."""

    who: int
    at: float
    expired: bool


@dataclass
class Upstream(Manner):
    """All connections, and what was received on them. `uplink` is the latency in µs from the caller to the model."""

    uplink: "array[int]" = field(default_factory=lambda: array("q"))
    disturbed_uplink: "array[int]" = field(default_factory=lambda: array("q"))
    """As `uplink`, for the callers in `disturbed`."""
    disturbed: set[int] = field(default_factory=set)
    heard: Counter[int] = field(default_factory=Counter)
    appends: int = 0
    gaps: int = 0
    live: dict[int, "Line"] = field(default_factory=dict)
    lines: set["Line"] = field(default_factory=set)
    opened: int = 0
    port: int = 0
    delays: dict[int, float] = field(default_factory=dict)
    """By caller: seconds that the next handshake takes."""
    dialled: dict[int, float] = field(default_factory=dict)
    """By caller: when the newest handshake began, in seconds."""
    serving: dict[int, "Line"] = field(default_factory=dict)
    """By caller: the newest connection on which audio was received, also once it is closed."""
    takeovers: list[Takeover] = field(default_factory=list)
    expired: list[tuple[int, float]] = field(default_factory=list)
    """The callers whose sessions expired, and when (seconds)."""
    refusals: int = 0
    """So many of the next handshakes are answered with 401, as if the key were refused."""
    mute: bool = False
    """After the handshake, nothing is sent or processed."""
    deaf: bool = False
    """With `mute`: pings are not answered either."""

    async def open(self, tls: ssl.SSLContext | None = None) -> None:
        """Listen on a free port of 127.0.0.1; after a `close`, on the same one again. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Line(self), "127.0.0.1", self.port, ssl=tls, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening, and abort every connection."""
        self._server.close()
        for line in list(self.lines):
            line.transport.abort()
        await asyncio.sleep(0.05)

    def kill(self, who: int, opening: float) -> bool:
        """Abort a caller's connection; the next one takes `opening` seconds to open. Returns False if there is none."""
        line = self.live.pop(who, None)
        if line is None:
            return False
        self.delays[who] = opening
        line.transport.abort()
        return True


class Line(asyncio.Protocol):
    """One connection to the model, from the handshake on."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.who = 0
        self.expired = False
        self._expiry: asyncio.TimerHandle | None = None
        self._head = b""
        self._open = False
        self._reader = frames.Reader()
        self._numbers: dict[int, int] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class says that it is none
        self.upstream.lines.add(self)
        self.model = Model(self.upstream, self)

    def connection_lost(self, error: Exception | None) -> None:
        self.upstream.lines.discard(self)
        self.model.end()
        if self._expiry:
            self._expiry.cancel()
        if self.upstream.live.get(self.who) is self:
            del self.upstream.live[self.who]

    def data_received(self, data: bytes) -> None:
        if not self._open:
            self._head += data
            if self._head.endswith(b"\r\n\r\n"):
                self._open = True
                self._answer(frames.headers(self._head))
            return
        at, mute = now(), self.upstream.mute
        for opcode, payload in self._reader.feed(data):
            if mute and (self.upstream.deaf or opcode != frames.PING):
                continue
            if opcode == frames.TEXT:
                if payload.startswith(APPEND):
                    from_ = payload.find(b'"audio":"') + 9
                    self._hear(at, payload[from_ : payload.find(b'"', from_)])
                elif APPENDS in payload:  # as others write it
                    self._hear(at, orjson.loads(payload)["audio"].encode())
                else:
                    self.model.receive(payload)
            elif opcode == frames.PING:
                self.transport.write(frames.frame(frames.PONG, payload))
            elif opcode == frames.CLOSE:
                self.transport.write(frames.frame(frames.CLOSE, payload))
                self.transport.close()

    def _answer(self, headers: dict[str, str]) -> None:
        self.who = known(headers.get("openai-safety-identifier", ""))
        self.upstream.dialled[self.who] = now() / 1e6
        if self.upstream.refusals:
            self.upstream.refusals -= 1
            self.transport.write(REFUSED)
            self.transport.close()
            return
        delay = self.upstream.delays.pop(self.who, self.upstream.opening)
        asyncio.get_running_loop().call_later(delay, self._welcome, frames.response(headers))

    def _welcome(self, response: bytes) -> None:
        if self.transport.is_closing():
            return
        self.upstream.opened += 1
        self.upstream.live[self.who] = self
        self.transport.write(response)
        if not self.upstream.mute:
            self.model.begin()
        if self.upstream.life < inf:
            self._expiry = asyncio.get_running_loop().call_later(self.upstream.life, self._expire)

    def _expire(self) -> None:
        self.expired = True
        self.upstream.expired.append((self.who, now() / 1e6))
        self.model.expire()
        self.transport.write(frames.frame(frames.CLOSE, EXPIRED))
        self.transport.close()

    def _hear(self, at: int, audio: bytes) -> None:
        """Receive audio in base64: record the latency of each frame, and pass the marks to the model."""
        upstream = self.upstream
        upstream.appends += 1
        if not self._numbers:  # the first audio on this connection: it takes over from the one before
            before, upstream.serving[self.who] = upstream.serving.get(self.who), self
            if before:
                upstream.takeovers.append(Takeover(self.who, at / 1e6, before.expired))
        for mark in coded(audio):
            late = upstream.disturbed_uplink if mark.who in upstream.disturbed else upstream.uplink
            late.append(at - mark.at)
            upstream.heard[mark.who] += 1
            if self._numbers.setdefault(mark.who, mark.number) != mark.number:
                upstream.gaps += 1
            self._numbers[mark.who] = mark.number + 1
            self.model.hear(mark)
