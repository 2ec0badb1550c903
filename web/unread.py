"""What has come on a connection and nobody has read yet: counted where aiohttp keeps it, and given little time."""

import asyncio
from collections.abc import Callable
from typing import Any

from actors.admission.waiting import LARGE, Holding, Kind
from actors.messages.caller import FromCaller, TooFast
from web.large import NOTHING, Large, TooManyFrames
from web.patience import Patience

LOOK_SECONDS = 1.0
BEHIND_SECONDS = 0.005
CROWDED = "too much waits already: send shorter clips, one after the other"
TOO_FAST = "too many frames at once: send what you say in frames of 20 ms"
TOO_SLOW = "a frame came too slowly: check the network and call again"


class Unread:
    """Stands before the reader of a WebSocket. `feed_data` is called for each piece that comes, so it only compares.

    What is not one small frame as before is looked at: what of a large message has come, and what is whole and was not
    taken, counts in the ledger. A frame for which there is no room cannot be passed over: nothing more is taken, and
    the call ends.
    """

    def __init__(self, socket: Any, protocol: Any, holding: Holding, patience: Patience) -> None:
        self._loop, self._socket, self._protocol = asyncio.get_running_loop(), socket, protocol
        self._queue = socket._reader
        self._feed: Callable[[bytes], tuple[bool, bytes]] = protocol._payload_parser.feed_data
        self._large = Large(self._queue, self._feed)
        self._usual, self._length = self._large.usual
        self._parcel = holding.parcel(Kind.FRAME, lambda lost: self._refuse(TooFast(CROWDED, 4429, "busy")))
        self._line, self._stall = patience.slowest_line, patience.frame_seconds
        self._timer: asyncio.TimerHandle | None = None
        self._behind: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._refused: TooFast | None = None
        self._tell: Callable[[FromCaller], None] | None = None
        protocol._payload_parser = self

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """For the protocol: more has come."""
        if data[:4] == self._usual and len(data) == self._length and self._queue._size <= LARGE:
            return self._feed(data)
        return self._take(data)

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
        self._count()

    def close(self) -> None:
        """Keep nothing and count nothing any more; what still comes is thrown away."""
        self._let_go()
        self._queue._buffer.clear()
        if self._protocol._payload_parser is self:
            self._protocol._payload_parser = Deaf()
        self._tell = self._protocol = self._socket = None

    def _take(self, data: bytes) -> tuple[bool, bytes]:
        if self._refused:
            return NOTHING
        try:
            answer = self._large.take(data)
        except TooManyFrames:
            self._refuse(TooFast(TOO_FAST))
            return NOTHING
        self._usual, self._length = self._large.usual
        if self._large.size > LARGE:
            self._due = min(self._due + len(data) / self._line, self._loop.time() + self._stall)
        self._count()
        if self._large.behind and not self._behind:
            self._behind = self._loop.call_later(BEHIND_SECONDS, self._catch_up)
        return answer

    def _catch_up(self) -> None:
        """The reader of aiohttp stood still: what came behind may be taken now."""
        self._behind = None
        self._take(b"")

    def _count(self) -> None:
        """Count what is held, and look again while that is much."""
        under_way, unread = self._large.size, self._queue._size
        held = (under_way if under_way > LARGE else 0) + (unread if unread > LARGE else 0)
        if not self._parcel.resize(held):
            self._refuse(TooFast(CROWDED, 4429, "busy"))
        elif held and not self._timer:
            self._due = self._loop.time() + self._stall
            self._timer = self._loop.call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        """A large frame that is under way must go on, no slower than the slowest line."""
        now, due, self._timer = self._loop.time(), self._due, None
        if self._large.size <= LARGE or self._protocol._reading_paused:  # then it is we who do not read
            due = now + self._stall
        if now >= due:
            self._refuse(TooFast(TOO_SLOW, 4408))
        else:
            self._count()
            self._due = due

    def _refuse(self, refused: TooFast) -> None:
        if not self._refused:
            self._refused = refused
            self._let_go()
            if self._tell:
                self._tell(refused)

    def _let_go(self) -> None:
        """Of the reader, with what it holds of a frame; but for one that stands still, which the queue wakes again."""
        self._feed, self._usual = _throw_away, b""
        self._large = Large(self._queue, _throw_away)
        if self._socket and not self._queue._stalled_reader:
            self._socket._parser = None
        for timer in (self._timer, self._behind):
            if timer:
                timer.cancel()
        self._timer = self._behind = None
        self._parcel.release()


class Deaf:
    """In place of a reader, once nobody is left who reads."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Throw it away."""
        return NOTHING

    def feed_eof(self) -> None:
        """Nobody waits for it."""


def _throw_away(data: bytes) -> tuple[bool, bytes]:
    return NOTHING
