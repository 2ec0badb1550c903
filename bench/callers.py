"""Simulated callers: each sends a frame of 20 ms fifty times a second, and receives.

All callers share a timer wheel with twenty slots of a millisecond, so that their frames are spread evenly. A frame gets
its timestamp and is written to the socket at once. `lateness` records how late the wheel itself was.
"""

import asyncio
import os
from array import array
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, cast
from urllib.parse import urlencode

import orjson

from bench import frames
from bench.ear import Ear
from bench.marks import BYTES_PER_SECOND, FRAME, MAGIC, MARK, now, user

SLOTS = 20
ASTROLOGER = "tina_kulkarni_vedic_marriage"
HEADER = frames.header(frames.BINARY, FRAME, masked=True)
CYCLE = 500  # frames: a caller begins a turn every ten seconds
SPEECH = 100  # frames of a turn with speech; the others are silent, but are sent all the same


class Call(asyncio.Protocol):
    """One call. `events` are the JSON messages received, with their times; `done` resolves when it is disconnected."""

    def __init__(self, crowd: "Crowd", who: int, path: str) -> None:
        self.crowd, self.who, self._path = crowd, who, path
        self.ear = Ear(crowd.downlink.append)
        self.events: list[tuple[float, dict[str, Any]]] = []
        self.acked: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.on_event: Callable[[dict[str, Any]], None] = lambda event: None
        self.every = CYCLE
        self.received = self._unacknowledged = 0  # frames; bytes of sound
        self.sent = self.turn = self.left = self.blocked = self.spoke_at = 0
        self._phase = who * 37 % CYCLE
        self.open = False
        self.status = ""
        self._head = b""
        self._reader = frames.Reader()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class says that it is none
        self._socket = transport.get_extra_info("socket").fileno()
        if self._path:
            self.transport.write(frames.request(self._path, self.crowd.host))

    def connection_lost(self, error: Exception | None) -> None:
        self.crowd.leave(self)
        if not self.acked.done():
            self.acked.set_result(False)
        if not self.done.done():
            self.done.set_result(None)

    def data_received(self, data: bytes) -> None:
        if not self.open:
            self._head += data
            if b"\r\n\r\n" not in self._head:
                return
            head, _, data = self._head.partition(b"\r\n\r\n")
            self.status = head[9:12].decode("latin-1")
            if self.status != "101":
                self.transport.abort()
                return
            self.open = True
        at = now() / 1e6
        for opcode, payload in self._reader.feed(data):
            if opcode == frames.BINARY:
                self.ear.hear(at, payload)
                if self.crowd.acknowledges:
                    self._acknowledge(len(payload))
            elif opcode == frames.TEXT:
                self.received += 1
                self._on_event(at, orjson.loads(payload))
            elif opcode == frames.PING:
                self.transport.write(frames.frame(frames.PONG, payload, masked=True))
            elif opcode == frames.CLOSE:
                self.events.append((at, {"type": "close", "code": int.from_bytes(payload[:2])}))
                self.transport.close()

    def _on_event(self, at: float, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind == "response_started":
            self.ear.begin()
        elif kind == "clear":
            self.ear.clear(at)
        elif kind == "config_ack" and not self.acked.done():
            self.acked.set_result(True)
        if kind != "transcript" and self.crowd.keep_events:
            self.events.append((at, event))
        self.on_event(event)

    def _acknowledge(self, size: int) -> None:
        """Say what was received, after every two seconds of sound."""
        self.received += 1
        self._unacknowledged += size
        if self._unacknowledged >= 2 * BYTES_PER_SECOND:
            self._unacknowledged = 0
            self.say(type="ack", received=self.received)

    def say(self, **message: Any) -> None:
        """Send a message."""
        self.transport.write(frames.frame(frames.TEXT, orjson.dumps(message), masked=True))

    def speak(self, seconds: float) -> None:
        """Begin a turn: the next frames, for so many seconds, are speech."""
        self.turn += 1
        self.left = round(seconds * 50)
        self.spoke_at = 0

    async def until(self, true: Callable[[], bool], seconds: float = 8.0) -> None:
        """Poll every two milliseconds until `true()`, or the call has ended. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not (true() or self.done.done()):  # noqa: ASYNC110  # true() may read anything
                await asyncio.sleep(0.002)

    async def hears(self, turn: int) -> None:
        """Wait for the first word of the reply to a turn. Raises TimeoutError."""
        await self.until(lambda: any(word.turn == turn for word in self.ear.words))

    def frame(self, at: int) -> None:
        """Send the next 20 ms of the microphone; `at` is now, in microseconds."""
        if self.every and (self.sent + self._phase) % self.every == 0:
            self.turn += 1
            self.left = SPEECH
        speaking = self.left > 0
        self.spoke_at = self.spoke_at or at
        self.left -= speaking
        data = HEADER + MARK.pack(MAGIC, self.who, 0, speaking, self.turn, 0, self.sent, at) + REST
        self.sent += 1
        if self.transport.get_write_buffer_size():
            self.blocked += 1
            self.transport.write(data)
            return
        try:
            written = os.write(self._socket, data)
        except BlockingIOError:
            written = 0
        except OSError:  # the connection is gone; connection_lost follows
            return
        if written < len(data):
            self.blocked += 1
            self.transport.write(data[written:])


REST = bytes(FRAME - MARK.size)


class Crowd:
    """All callers of one load, and the timer wheel that sends their frames. `downlink` and `lateness` are in µs."""

    def __init__(self, port: int, first: int = 1) -> None:
        self.port, self.host = port, f"127.0.0.1:{port}"
        self.query = {"astrologer_id": ASTROLOGER, "mode": "stream"}
        self.downlink = array("q")
        self.lateness = array("q")
        self.calls: set[Call] = set()
        self.failed = 0
        self.keep_events = True
        self.acknowledges = False  # the callers may come back, and say what they received
        self._slots: list[set[Call]] = [set() for _ in range(SLOTS)]
        self._numbers = count(first)
        self._wheel = asyncio.create_task(self._turn(), name="the wheel")

    async def call(self, speaking: bool = True, who: int = 0, **query: str) -> Call:
        """Place a call, and open the microphone once it is answered. Raises OSError if it is not answered."""
        call = await self.dial(who, query)
        await asyncio.wait([call.acked], timeout=10)
        if not (call.acked.done() and call.acked.result()):
            self.failed += 1
            call.transport.abort()
            how = "the connection was closed" if call.done.done() else "nothing came for 10 s"
            raise OSError(
                f"the call of {user(call.who)} was not answered: {how}, after HTTP status {call.status or 'none'}"
            )
        if speaking:
            self.join(call)
        return call

    async def dial(self, who: int = 0, query: dict[str, str] | None = None, silent: bool = False) -> Call:
        """Connect. A `silent` caller does not even send the HTTP request."""
        number = who or next(self._numbers)
        wanted = urlencode({**self.query, **(query or {})})
        _, call = await asyncio.get_running_loop().create_connection(
            lambda: Call(self, number, "" if silent else f"/ws/{user(number)}?{wanted}"), "127.0.0.1", self.port
        )
        self.calls.add(call)
        return call

    def join(self, call: Call) -> None:
        """Open the caller's microphone."""
        self._slots[call.who % SLOTS].add(call)

    def mute(self, call: Call) -> None:
        """Close the caller's microphone."""
        self._slots[call.who % SLOTS].discard(call)

    def leave(self, call: Call) -> None:
        """Remove a caller who is disconnected."""
        self.mute(call)
        self.calls.discard(call)

    async def resize(self, callers: int, a_second: float = 50.0) -> None:
        """Place or end calls, `a_second`, until there are so many callers. Raises OSError."""
        while len(self.calls) != callers:
            if len(self.calls) > callers:
                next(iter(self.calls)).transport.abort()
            else:
                await self.call()
            await asyncio.sleep(1 / a_second)

    async def close(self) -> None:
        """End all calls."""
        self._wheel.cancel()
        gone = [call.done for call in self.calls]
        for call in list(self.calls):
            call.transport.abort()
        if gone:
            await asyncio.wait(gone, timeout=5)

    async def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        due, wake = now(), asyncio.Event()
        for slot in self._endless():
            due += 1000
            if (early := due - now()) > 0:
                wake.clear()
                loop.call_later(early / 1e6, wake.set)
                await wake.wait()
            self.lateness.append(now() - due)
            for call in list(slot):
                call.frame(now())

    def _endless(self) -> Iterator[set[Call]]:
        while True:
            yield from self._slots
