"""What has come on a connection and nobody has read yet: counted where aiohttp keeps it, and given little time."""

import asyncio
from collections.abc import Callable
from itertools import islice
from typing import Any

from aiohttp import WSMsgType

from actors.admission.waiting import LARGE, Holding, Kind
from actors.messages.caller import Flooded, FromCaller
from web.patience import Patience

WHOLE = (WSMsgType.TEXT, WSMsgType.BINARY)
NOTHING: tuple[bool, bytes] = (False, b"")
LOOK_SECONDS = 1.0
CROWDED = "too much waits already: send shorter clips, one after the other"
TOO_SLOW = "a frame came too slowly: check the network and call again"


class Unread:
    """Stands before the reader of a WebSocket. `feed_data` is called for each piece that comes, so it only adds.

    Beyond LARGE bytes the pieces are weighed: what of a frame has come, and what is whole and was not taken, counts in
    the ledger. A frame for which there is no room cannot be passed over: nothing more is taken, and the call ends.
    """

    def __init__(self, socket: Any, protocol: Any, holding: Holding, patience: Patience) -> None:
        self._loop, self._socket, self._protocol = asyncio.get_running_loop(), socket, protocol
        self._queue = socket._reader
        self._feed: Callable[[bytes], tuple[bool, bytes]] = protocol._payload_parser.feed_data
        self._parcel = holding.parcel(Kind.FRAME, lambda lost: self._refuse(Flooded(CROWDED, 4429, "busy")))
        self._line, self._stall = patience.slowest_line, patience.frame_seconds
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._refused: Flooded | None = None
        self._tell: Callable[[FromCaller], None] | None = None
        self._growing = 0  # bytes that the frame under way has at the least
        self.bytes = 0  # that it has at the most, once they were weighed
        protocol._payload_parser = self

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """For the protocol: more has come."""
        self.bytes = held = self.bytes + len(data)
        if held > LARGE:
            return self._weigh(data)
        return self._feed(data)

    def feed_eof(self) -> None:
        """For the protocol: nothing more will come."""
        self._queue.feed_eof()

    def tell(self, tell: Callable[[FromCaller], None]) -> None:
        """Whom to tell that the call must end."""
        self._tell = tell
        if self._refused:
            tell(self._refused)

    def taken(self) -> None:
        """A large frame was taken: it is counted here no more."""
        self._growing = 0
        self._count()

    def close(self) -> None:
        """Keep nothing and count nothing any more; what still comes is thrown away."""
        self._let_go()
        if self._protocol._payload_parser is self:
            self._protocol._payload_parser = Deaf()
        self._tell = self._protocol = self._socket = None

    def _weigh(self, data: bytes) -> tuple[bool, bytes]:
        messages = self._queue._buffer
        before = len(messages)
        answer = self._feed(data)
        whole = False
        for message, size in islice(reversed(messages), len(messages) - before):
            whole = whole or message.type in WHOLE
            self.bytes -= _with_header(size)
        if whole:
            self.bytes = min(max(self.bytes, 0), len(data))
            self._growing = 0
        elif not self._queue._stalled_reader:
            self._growing += len(data)
        if not self._refused:
            self._count()
            if self._growing > LARGE:
                self._due = min(self._due + len(data) / self._line, self._loop.time() + self._stall)
        return answer

    def _count(self) -> None:
        """Count what is held, and look again while that is much."""
        under_way = self.bytes if self.bytes > LARGE else 0
        unread = self._queue._size if self._queue._size > LARGE else 0
        if not self._parcel.resize(under_way + unread):
            self._refuse(Flooded(CROWDED, 4429, "busy"))
        elif self._parcel.size and not self._timer:
            self._due = self._loop.time() + self._stall
            self._timer = self._loop.call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        """A large frame that is under way must go on, no slower than the slowest line."""
        now, due, self._timer = self._loop.time(), self._due, None
        if self._growing <= LARGE or self._protocol._reading_paused:  # then it is we who do not read
            due = now + self._stall
        if now >= due:
            self._refuse(Flooded(TOO_SLOW, 4408))
        else:
            self._count()
            self._due = due

    def _refuse(self, refused: Flooded) -> None:
        if not self._refused:
            self._refused = refused
            self._let_go()
            if self._tell:
                self._tell(refused)

    def _let_go(self) -> None:
        """Of the reader, with what it holds of a frame; but for one that stands still, which the queue wakes again."""
        self._feed = _throw_away
        if self._socket and not self._queue._stalled_reader:
            self._socket._parser = None
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._parcel.release()


class Deaf:
    """In place of a reader, once nobody is left who reads."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Throw it away."""
        return NOTHING

    def feed_eof(self) -> None:
        """Nobody waits for it."""


def _with_header(size: int) -> int:
    """The bytes on the wire of what a caller sends in one frame."""
    return size + (6 if size < 126 else 8 if size < 2**16 else 14)


def _throw_away(data: bytes) -> tuple[bool, bytes]:
    return NOTHING
