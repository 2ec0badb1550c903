"""aiohttp's queue of the frames that a WebSocket received, with a way past it for frames that can be handled at once.

    socket ─▶ ReceiveBuffer ─▶ aiohttp's parser ─▶ FrameQueue.feed_data ─┬─▶ handle ─▶ session's mailbox
                                                                         └─▶ queue ─▶ socket.receive()

A frame in the queue costs a future, a wake-up and a step of a task; one that is handled at once costs a call. What may
not be handled at once waits in the queue, which pauses the parser and the socket when it is full, and all that comes
behind it waits, too: so the order is that of the wire.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from aiohttp import WSMsgType
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader
from aiohttp.http import WSMessageNoDecodeText

from actors.admission.waiting import LARGE

Handle: TypeAlias = Callable[[WSMessageNoDecodeText], bool]
"""Takes a frame that the parser has just finished; False if it must wait in the queue."""

_DATA = (WSMsgType.BINARY, WSMsgType.TEXT)
QUEUED_BYTES = 2**13  # the parser stops at twice as many, and each frame counts for 128 more
# What waits is better left in the network, as bytes. With 2**18 one caller who floods had 1,500 frames here, of two
# objects each, and the garbage collector looked through them all again and again.


class FrameQueue(WebSocketDataQueue):
    """`handle` is asked first for each data frame that is not large, from `listen` on until a frame is queued."""

    _handle: Handle | None = None

    def listen(self, handle: Handle) -> None:
        """Nobody is at a frame: if none waits, let `handle` take those that come."""
        if not self._buffer:
            self._handle = handle

    @property
    def empty(self) -> bool:
        """True if no frame waits to be received."""
        return not self._buffer

    def leave(self) -> None:
        """Whoever listened handles nothing more."""
        self._handle = None

    def feed_data(self, data: Any, size: int) -> None:
        """The parser has finished a frame."""
        if handle := self._handle:
            if data[0] in _DATA and size <= LARGE and handle(data):
                return
            self._handle = None
        super().feed_data(data, size)


def install(socket: Any, protocol: Any, max_frame: int) -> None:
    """Put a FrameQueue, and a parser that fills it, in the place of those that `socket.prepare` has just made."""
    socket._reader = FrameQueue(protocol, QUEUED_BYTES, loop=socket._loop)
    socket._parser = WebSocketReader(socket._reader, max_frame, compress=False, decode_text=False)
    protocol._payload_parser = socket._parser
