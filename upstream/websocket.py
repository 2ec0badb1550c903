"""The WebSocket of a link: the library's connection without its queues, and with bounds of ours."""

import asyncio
import socket
from collections.abc import Callable, Iterable
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.protocol import Event, State

from upstream.text_frames import text_frames

STALL_SECONDS = 2.0  # an uplink that takes nothing for so long is lost
RECEIVE_BYTES = 32 * 1024


class Socket(ClientConnection):
    """The library's connection without its queues: it tells each frame as it comes, and when it can be written to."""

    # Over 30 attributes in `__dict__` take a KB more.
    __slots__ = ("_fragments", "_ping_timer", "_pinged", "_stall_timer", "on_frame", "on_writable", "over")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.on_frame: Callable[[bytes], None] = lambda data: None
        self.on_writable: Callable[[], None] = lambda: None
        self.over = asyncio.Event()
        self._fragments: list[bytes] = []
        self._stall_timer: asyncio.TimerHandle | None = None
        self._ping_timer: asyncio.TimerHandle | None = None
        self._pinged = False  # and nothing has come since

    def process_event(self, event: Event) -> None:
        """Data goes to the listener; the handshake and what keeps the connection alive stay with the library."""
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
            if isinstance(event, Frame) and event.opcode is Opcode.CLOSE:
                self.over.set()
        elif event.fin and not self._fragments:
            self.on_frame(bytes(event.data))
        else:
            self._fragments.append(bytes(event.data))
            if event.fin:
                whole, self._fragments = b"".join(self._fragments), []
                self.on_frame(whole)

    def data_received(self, data: bytes) -> None:
        """A frame that breaks the rules (too large) is the end: nothing of it is read, nor what comes after it."""
        self._pinged = False  # whatever comes: the pong may be behind a long answer
        super().data_received(data)
        if self.protocol.parser_exc:
            self.over.set()

    @property
    def writable(self) -> bool:
        """True while it is open and its transport takes data."""
        return not self.paused and self.protocol.state is State.OPEN

    def write_texts(self, texts: Iterable[bytes]) -> None:
        """Write text frames at once, behind what the library has written; only while `writable`."""
        self.transport.write(text_frames(texts))

    def keep_alive(self, seconds: float) -> None:
        """Ping every so many seconds; if nothing at all has come by the next, that is the end of the connection.

        The library's keepalive is a task with two timeouts, which cost as much as five frames for each ping.
        """
        self._ping_timer = self.loop.call_later(seconds, self._ping, seconds)

    def _ping(self, seconds: float) -> None:
        if self._pinged and self.transport.is_reading():
            self.transport.abort()
        elif self.protocol.state is State.OPEN:
            self._pinged = True
            self.protocol.send_ping(b"")
            self.send_data()
            self.keep_alive(seconds)

    def read_on(self) -> None:
        """Read again: what has come meanwhile was not seen."""
        self._pinged = False
        self.transport.resume_reading()

    def pause_writing(self) -> None:
        """The transport is full; if it stays so for STALL_SECONDS the connection is lost."""
        super().pause_writing()
        self._stall_timer = self.loop.call_later(STALL_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The transport takes data again."""
        super().resume_writing()
        self._stop_stall_timer()
        self.on_writable()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed, for whatever reason."""
        super().connection_lost(exc)
        self._stop_stall_timer()
        if self._ping_timer:
            self._ping_timer.cancel()
        self.over.set()
        self.recv_exc = self.protocol.parser_exc = None  # their tracebacks keep the last frame, and us

    def bound_receive_buffer(self) -> None:
        """Let the kernel hold RECEIVE_BYTES at most: what is read at once is what TLS keeps buffers for, for good."""
        if raw := self.transport.get_extra_info("socket"):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)

    def forget_handshake(self) -> None:
        """Drop the headers of both sides: nobody reads them any more. The response itself says that there was one."""
        self.request = None
        if self.response:
            self.response.headers.clear()

    def detach(self) -> None:
        """Tell nothing any more."""
        self.on_frame, self.on_writable = lambda data: None, lambda: None
        self._fragments.clear()

    def _stop_stall_timer(self) -> None:
        if self._stall_timer:
            self._stall_timer.cancel()
            self._stall_timer = None
