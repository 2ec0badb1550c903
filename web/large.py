"""Messages that are large, or come in parts, are put together piece by piece as they come.

aiohttp's reader joins, unmasks and copies the whole of one when its last byte is there: 5.6 MB held the loop for 12 ms.
So these are taken out of what comes; all else goes on to it as it is, and it says what is no frame.
"""

import io
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType
from aiohttp._websocket.helpers import websocket_mask
from aiohttp.http import WSMessage, WSMessageNoDecodeText, WSMessageTextBytes

from actors.admission.waiting import LARGE

MAX_FRAME = 8 * 2**20  # bytes of a message
# In what was read at once, 256 KB at most: to look at a small frame takes half a microsecond, at a part of a message 5.
MOST_FRAMES = 5000
MOST_PARTS = 500
CONTINUATION = 0
NOTHING: tuple[bool, bytes] = (False, b"")
# What aiohttp's reader refuses in the same way: a part of no message (1002), and a frame that is too big (1009).
OUT_OF_TURN = b"\x80\x00"
TOO_BIG = b"\x82\x7f" + MAX_FRAME.to_bytes(8)


class TooManyFrames(Exception):
    """More in one piece than anybody may send."""


class Large:
    """Between the socket and aiohttp's reader, `feed`, and the queue into which both put what is whole.

    That reader may stand still in the middle of what it was given, while the queue is full. What came behind waits
    meanwhile, or it would be read before: then `behind` is true, and `take` must be called again.
    """

    def __init__(self, queue: Any, feed: Callable[[bytes], tuple[bool, bytes]]) -> None:
        self._queue, self._feed = queue, feed
        self._text: io.BytesIO | None = None
        self._kind = self._left = 0
        self._ours = self._last = False
        self._mask = self._rest = b""
        self.usual: tuple[bytes, int] = (b"", 0)
        """How a piece begins that is one small frame as the last piece was, and its length; b"" within a frame."""

    @property
    def size(self) -> int:
        """Bytes that are held of what is not whole, or waits."""
        return (self._text.tell() if self._text else 0) + len(self._rest)

    @property
    def behind(self) -> bool:
        """Whether something waits for aiohttp's reader to go on."""
        return bool(self._rest) and self._queue._stalled_reader is not None

    def take(self, data: bytes) -> tuple[bool, bytes]:
        """More has come; the answer is that of aiohttp's reader. Raises TooManyFrames."""
        data, self._rest, self.usual = self._rest + data, b"", (b"", 0)
        at = run = parts = 0  # `run` is where that begins which is not ours
        while at < len(data):
            if not self._left:
                if self._text is None:
                    at = _past(data, at)
                head = _head(data, at)
                if head is None:
                    break
                parts += 1
                if parts > MOST_PARTS:
                    raise TooManyFrames
                first, length, mask, begins = head
                self._ours, self._left = self._is_ours(first, length), begins - at + length
                if self._ours:
                    (over, _), run = self._feed(data[run:at]), at
                    if over or self._queue._stalled_reader is not None:
                        self._left = 0
                        break
                    if wrong := self._begin(first, length, mask):
                        return self._feed(wrong)
                    at = begins
            end = min(len(data), at + self._left)
            self._left -= end - at
            if self._ours:
                self._keep(memoryview(data)[at:end])
                run = end
            at = end
        self._rest = data[at:]
        if run == 0 and at == len(data) and not self._left and not self._text:
            self.usual = _alone(data)
        return self._feed(data[run:at])

    def _is_ours(self, first: int, length: int) -> bool:
        """Of the data that a caller sends in one frame, what is large and not too large; and all that is in parts."""
        kind = first & 15
        if first & 0x70 or kind > WSMsgType.BINARY:
            return False
        if kind == CONTINUATION or self._text:
            return self._text is not None
        return not first & 0x80 or LARGE < length < MAX_FRAME

    def _begin(self, first: int, length: int, mask: bytes) -> bytes:
        """A frame that is ours. Where it may not come, what makes aiohttp's reader say so."""
        kind = first & 15
        if self._text is None:
            self._text, self._kind = io.BytesIO(), kind
        elif kind != CONTINUATION:
            return OUT_OF_TURN
        if self._text.tell() + length >= MAX_FRAME:
            return TOO_BIG
        self._left, self._last, self._mask = length, bool(first & 0x80), mask
        return b""

    def _keep(self, piece: memoryview) -> None:
        """Some more of a frame that is ours; with its last byte the message may be whole."""
        assert self._text is not None
        if self._mask:
            masked = bytearray(piece)
            websocket_mask(self._mask, masked)
            turn = len(piece) % 4
            self._mask = self._mask[turn:] + self._mask[:turn]
            self._text.write(masked)
        else:
            self._text.write(piece)
        if self._last and not self._left:
            data, self._text = self._text.getvalue(), None
            self._queue.feed_data(_message(self._kind, data), len(data))


def _message(kind: int, data: bytes) -> WSMessageNoDecodeText:
    if kind == WSMsgType.TEXT:
        return WSMessageTextBytes(WSMsgType.TEXT, data, "")
    return WSMessage(WSMsgType.BINARY, data, "")


def _past(data: bytes, at: int) -> int:
    """Past all small whole frames from here on, as nearly all are. Raises TooManyFrames."""
    size = len(data) - 3
    for _ in range(MOST_FRAMES):
        if at >= size or data[at] < 0x80 or data[at] > 0x8F:  # it is no last part, or no frame
            return at
        second = data[at + 1]
        length = second & 127
        if length == 126:
            length = (data[at + 2] << 8 | data[at + 3]) + 2
        end = at + length + (6 if second & 128 else 2)
        if length == 127 or end > size + 3:
            return at
        at = end
    raise TooManyFrames


def _alone(data: bytes) -> tuple[bytes, int]:
    """How the one small frame begins that this is, where its first bytes say how long it is; else b""."""
    alone = (
        len(data) > 3 and data[1] & 127 == 126 and (data[2] << 8 | data[3]) + (8 if data[1] & 128 else 4) == len(data)
    )
    return (data[:4], len(data)) if alone else (b"", 0)


def _head(data: bytes, at: int) -> tuple[int, int, bytes, int] | None:
    """The head of a frame: its first byte, the length, the mask, where its content begins. None: more must come."""
    if len(data) < at + 2:
        return None
    length, ends = data[at + 1] & 127, at + 2
    if length > 125:
        width = 2 if length == 126 else 8
        length, ends = int.from_bytes(data[ends : ends + width]), ends + width
    begins = ends + (4 if data[at + 1] & 128 else 0)
    return (data[at], length, data[ends:begins], begins) if begins <= len(data) else None
