"""Reassembles large and fragmented WebSocket messages incrementally, as their bytes arrive.

aiohttp's parser joins, unmasks and copies a whole message at its last byte: 5.6 MB held the loop for 12 ms. So these
messages are taken out of the stream here. All other frames are passed on to aiohttp's parser as they are, and it
reports protocol errors.

    received:     [small][small][ large, first part ...        ]   [... its rest][small]
    passed on:    [small][small]                                                 [small]
    reassembled:                [ unmasked and appended as it comes ............]  ─▶ queue
"""

import io
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType
from aiohttp._websocket.helpers import websocket_mask
from aiohttp.http import WSMessage, WSMessageNoDecodeText, WSMessageTextBytes

from actors.admission.waiting import LARGE

MAX_FRAME = 8 * 2**20  # bytes of a message
# Per segment, which has 256 KB at most. Skipping a small frame costs half a microsecond, parsing a header 5.
MOST_FRAMES = 5000
MOST_HEADERS = 500
CONTINUATION = 0
NOTHING: tuple[bool, bytes] = (False, b"")
# Fed to aiohttp's parser in place of a frame that it would refuse: a continuation of no message (1002), and a frame
# that is too big (1009).
OUT_OF_TURN = b"\x80\x00"
TOO_BIG = b"\x82\x7f" + MAX_FRAME.to_bytes(8)


class TooManyFrames(Exception):
    """A segment has more frames than a well-behaved client sends."""


class Reassembler:
    """Stands between the socket and aiohttp's parser, `feed_parser`; both put complete messages into `queue`.

    aiohttp's parser pauses in the middle of its input while the queue is full. What follows that input is buffered
    here, to preserve the order: then `blocked` is true, and `feed` must be called again.
    """

    def __init__(self, queue: Any, feed_parser: Callable[[bytes], tuple[bool, bytes]]) -> None:
        self._queue, self._feed_parser = queue, feed_parser
        self._message: io.BytesIO | None = None  # that is being reassembled
        self._kind = 0  # of that message: WSMsgType
        self._left = 0  # bytes of the present frame that are still to come
        self._ours = False  # the present frame belongs to that message
        self._last = False  # the present frame is the last of that message
        self._mask = b""  # rotated to the next byte
        self._rest = b""  # an incomplete header, or input for the paused parser
        self.usual: tuple[bytes, int] = (b"", 0)
        """The first 4 bytes and the length of the last segment if that was one small frame; else b"" and 0."""

    @property
    def size(self) -> int:
        """Bytes that are buffered here."""
        return (self._message.tell() if self._message else 0) + len(self._rest)

    @property
    def blocked(self) -> bool:
        """True if bytes are buffered because aiohttp's parser is paused."""
        return bool(self._rest) and self._queue._stalled_reader is not None

    def feed(self, data: bytes) -> tuple[bool, bytes]:
        """Take a segment; returns what aiohttp's parser returned. Raises TooManyFrames."""
        data, self._rest, self.usual = self._rest + data, b"", (b"", 0)
        at = start = headers = 0  # from `start` to `at` are frames to pass on
        while at < len(data):
            if not self._left:
                if self._message is None:
                    at = _skip_small(data, at)
                header = _header(data, at)
                if header is None:
                    break
                headers += 1
                if headers > MOST_HEADERS:
                    raise TooManyFrames
                first, length, mask, begins = header
                self._ours, self._left = self._is_ours(first, length), begins - at + length
                if self._ours:
                    (over, _), start = self._feed_parser(data[start:at]), at
                    if over or self._queue._stalled_reader is not None:
                        self._left = 0
                        break
                    if invalid := self._begin(first, length, mask):
                        return self._feed_parser(invalid)
                    at = begins
            end = min(len(data), at + self._left)
            self._left -= end - at
            if self._ours:
                self._append(memoryview(data)[at:end])
                start = end
            at = end
        self._rest = data[at:]
        if start == 0 and at == len(data) and not self._left and not self._message:
            self.usual = _single_frame(data)
        return self._feed_parser(data[start:at])

    def _is_ours(self, first: int, length: int) -> bool:
        """True for a data frame that is large but not too large, and for every fragment of a message."""
        kind = first & 15
        if first & 0x70 or kind > WSMsgType.BINARY:
            return False
        if kind == CONTINUATION or self._message:
            return self._message is not None
        return not first & 0x80 or LARGE < length < MAX_FRAME

    def _begin(self, first: int, length: int, mask: bytes) -> bytes:
        """Begin a frame of ours; returns b"", or for an invalid frame what makes aiohttp's parser report it."""
        kind = first & 15
        if self._message is None:
            self._message, self._kind = io.BytesIO(), kind
        elif kind != CONTINUATION:
            return OUT_OF_TURN
        if self._message.tell() + length >= MAX_FRAME:
            return TOO_BIG
        self._left, self._last, self._mask = length, bool(first & 0x80), mask
        return b""

    def _append(self, payload: memoryview) -> None:
        """Unmask and append payload of the present frame; put the message into the queue if it is complete."""
        assert self._message is not None
        if self._mask:
            masked = bytearray(payload)
            websocket_mask(self._mask, masked)
            turn = len(payload) % 4
            self._mask = self._mask[turn:] + self._mask[:turn]
            self._message.write(masked)
        else:
            self._message.write(payload)
        if self._last and not self._left:
            data, self._message = self._message.getvalue(), None
            self._queue.feed_data(_complete(self._kind, data), len(data))


def _complete(kind: int, data: bytes) -> WSMessageNoDecodeText:
    if kind == WSMsgType.TEXT:
        return WSMessageTextBytes(WSMsgType.TEXT, data, "")
    return WSMessage(WSMsgType.BINARY, data, "")


def _skip_small(data: bytes, at: int) -> int:
    """The offset behind all small complete frames from `at` on: nearly every frame is one. Raises TooManyFrames."""
    size = len(data) - 3
    for _ in range(MOST_FRAMES):
        if at >= size or data[at] < 0x80 or data[at] > 0x8F:  # a fragment, or no valid frame
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


def _single_frame(data: bytes) -> tuple[bytes, int]:
    """The first 4 bytes and the length, if the data is one frame with a 16-bit length; else b"" and 0."""
    single = (
        len(data) > 3 and data[1] & 127 == 126 and (data[2] << 8 | data[3]) + (8 if data[1] & 128 else 4) == len(data)
    )
    return (data[:4], len(data)) if single else (b"", 0)


def _header(data: bytes, at: int) -> tuple[int, int, bytes, int] | None:
    """The header at `at`: first byte, payload length, mask, offset of the payload. None if it is incomplete."""
    if len(data) < at + 2:
        return None
    length, ends = data[at + 1] & 127, at + 2
    if length > 125:
        width = 2 if length == 126 else 8
        length, ends = int.from_bytes(data[ends : ends + width]), ends + width
    begins = ends + (4 if data[at + 1] & 128 else 0)
    return (data[at], length, data[ends:begins], begins) if begins <= len(data) else None
