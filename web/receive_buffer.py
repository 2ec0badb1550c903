"""Bounds what a caller's WebSocket has received and the call has not read: in bytes, and in time.

`ReceiveBuffer` is installed as the payload parser of aiohttp's protocol, in front of aiohttp's own parser:

    socket ─▶ ReceiveBuffer.feed_data ─▶ Reassembler ─┬─▶ aiohttp's parser ─┬─▶ queue ─▶ socket.receive()
                                                      └── large messages ───┘
"""

import asyncio
from collections.abc import Callable
from typing import Any

from actors.admission.rate import Rate
from actors.admission.waiting import LARGE, Holding, Kind, weakly
from actors.messages.caller import SLOW, FromCaller, TooFast
from web.client_limits import ClientLimits
from web.reassembly import NOTHING, Reassembler, TooManyFrames

CHECK_SECONDS = 1.0
RETRY_SECONDS = 0.005
SHORTEST_PAUSE = 0.001  # seconds
LARGE_A_SECOND, LARGE_AT_ONCE = 50e6, 1e6  # bytes of large messages of all callers: a tenth of a core
CROWDED = "too much waits already: send shorter clips, one after the other"
TOO_FAST = "too many frames at once: send what you say in frames of 20 ms"
TOO_SLOW = "a frame came too slowly: check the network, then resume or call again"


class ReceiveBuffer:
    """Counts incomplete and unread large frames in the ledger, and ends a call that exceeds its limits.

    `feed_data` is called for every segment that the socket receives, so its usual path is two comparisons: a segment
    that is one small frame like the last one goes straight to aiohttp's parser. A frame for which there is no room
    cannot be skipped on the wire, so then nothing more is accepted and the call ends.

    `large_rate` is that of all callers together: while it is exceeded, who sends a large message is not read from.
    """

    def __init__(
        self, socket: Any, protocol: Any, holding: Holding, client_limits: ClientLimits, large_rate: Rate
    ) -> None:
        self._loop, self._socket, self._protocol = asyncio.get_running_loop(), socket, protocol
        self._queue = socket._reader
        self._feed: Callable[[bytes], tuple[bool, bytes]] = protocol._payload_parser.feed_data
        self._reassembler = Reassembler(self._queue, self._feed)
        self._usual, self._length = self._reassembler.usual
        self._parcel = holding.parcel(Kind.FRAME, weakly(self._evict))
        self._slowest, self._stall = client_limits.slowest_line, client_limits.frame_seconds
        self._check_timer: asyncio.TimerHandle | None = None
        self._retry_timer: asyncio.TimerHandle | None = None
        self._large_rate = large_rate
        self._pause_timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self._refused: TooFast | None = None
        self._report: Callable[[FromCaller], None] | None = None
        protocol._payload_parser = self

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """A segment was received by aiohttp's protocol."""
        if data[:4] == self._usual and len(data) == self._length and self._queue._size <= LARGE:
            return self._feed(data)
        return self._accept(data)

    def feed_eof(self) -> None:
        """The end of the stream was received by aiohttp's protocol."""
        self._queue.feed_eof()

    def report_to(self, report: Callable[[FromCaller], None]) -> None:
        """Set the receiver of the `TooFast` that ends the call; one that is due already is sent at once."""
        self._report = report
        if self._refused:
            report(self._refused)

    @property
    def incomplete(self) -> int:
        """Bytes of a message of which more is to come."""
        return self._reassembler.size

    def frame_read(self) -> None:
        """A large frame was read from the queue, and counts here no more."""
        self._count()

    def close(self) -> None:
        """Drop what is buffered; segments that still come are discarded."""
        self._release()
        self._queue._buffer.clear()
        if self._protocol._payload_parser is self:
            self._protocol._payload_parser = Discard()
        self._report = self._protocol = self._socket = None

    def _accept(self, data: bytes) -> tuple[bool, bytes]:
        if self._refused:
            return NOTHING
        large = self._reassembler.size > LARGE or len(data) > LARGE
        try:
            answer = self._reassembler.feed(data)
        except TooManyFrames:
            self._refuse(TooFast(TOO_FAST))
            return NOTHING
        self._usual, self._length = self._reassembler.usual
        if self._reassembler.size > LARGE:
            large = True
            self._deadline = min(self._deadline + len(data) / self._slowest, self._loop.time() + self._stall)
        if large:
            self._pause(self._large_rate.owe(self._loop.time(), len(data)))
        self._count()
        if self._reassembler.blocked and not self._retry_timer:
            self._retry_timer = self._loop.call_later(RETRY_SECONDS, self._retry)
        return answer

    def _retry(self) -> None:
        """Feed the bytes that were buffered while a full queue had paused the parser."""
        self._retry_timer = None
        self._accept(b"")

    def _pause(self, seconds: float) -> None:
        """Read nothing from this caller for so long."""
        transport = self._protocol.transport
        if seconds > SHORTEST_PAUSE and transport and not self._pause_timer:
            transport.pause_reading()
            self._pause_timer = self._loop.call_later(seconds, self._read_on)

    def _read_on(self) -> None:
        """Read again, unless aiohttp's queue is full: then it does so when it is read from."""
        self._pause_timer = None
        if self._protocol.transport and not self._protocol._reading_paused:
            self._protocol.transport.resume_reading()

    def _count(self) -> None:
        """Update the ledger, and check again while the buffered frames are large."""
        incomplete, unread = self._reassembler.size, self._queue._size
        held = (incomplete if incomplete > LARGE else 0) + (unread if unread > LARGE else 0)
        if not self._parcel.resize(held):
            self._evict()
        elif held and not self._check_timer:
            self._deadline = self._loop.time() + self._stall
            self._check_timer = self._loop.call_later(CHECK_SECONDS, self._check)

    def _check(self) -> None:
        """End the call if a large incomplete frame has passed its deadline, which each segment moves."""
        now, deadline, self._check_timer = self._loop.time(), self._deadline, None
        paused = self._pause_timer or self._protocol._reading_paused  # that is ours, not the caller's
        if self._reassembler.size <= LARGE or paused:
            deadline = now + self._stall
        if now >= deadline:
            self._refuse(TooFast(TOO_SLOW, SLOW))
        else:
            self._count()
            self._deadline = deadline

    def _evict(self) -> None:
        """There is no room for it, or others need it."""
        self._refuse(TooFast(CROWDED, 4429, "busy"))

    def _refuse(self, refused: TooFast) -> None:
        if not self._refused:
            self._refused = refused
            if self._socket:
                self._socket.lingers = True
            self._release()
            if self._report:
                self._report(refused)

    def _release(self) -> None:
        """Drop the parsers with their incomplete frame. A paused parser must stay, because the queue resumes it."""
        self._feed, self._usual = _discard, b""
        self._reassembler = Reassembler(self._queue, _discard)
        if self._socket and not self._queue._stalled_reader:
            self._socket._parser = None
        for timer in (self._check_timer, self._retry_timer):
            if timer:
                timer.cancel()
        self._check_timer = self._retry_timer = None
        if self._pause_timer:
            self._pause_timer.cancel()
            self._read_on()
        self._parcel.release()


class Discard:
    """A payload parser for a closed call: it ignores everything."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Ignore a segment."""
        return NOTHING

    def feed_eof(self) -> None:
        """Ignore the end of the stream."""


def _discard(data: bytes) -> tuple[bool, bytes]:
    return NOTHING
