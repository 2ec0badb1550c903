"""aiohttp's WebSocket as a call needs it: its parser is ours, it counts what it sends, and it may close late."""

import struct
from typing import Any, Literal

from aiohttp import WSMsgType, web

from actors.counters import Counters
from web.frame_queue import FrameQueue, install
from web.reassembly import MAX_FRAME

CLOSE_SECONDS = 2.0
BROKEN_FRAME = (1002, 1007, 1009)  # the codes with which aiohttp closes for a frame that it cannot take
FINAL = 0x80  # the bit of the last frame of a message
TOO_BIG = f"a frame may hold {MAX_FRAME // 2**20} MiB: send shorter clips".encode()


class Socket(web.WebSocketResponse[Literal[False]]):
    """aiohttp's WebSocket, which answers a subprotocol, counts sent bytes, and says why when it closes with 1009."""

    __slots__ = ("_counters", "_protocol", "early", "lingers", "said")  # over 30 in its `__dict__` take a KB more

    def __init__(self, counters: Counters, protocol: str | None = None) -> None:
        super().__init__(
            timeout=CLOSE_SECONDS,
            max_msg_size=MAX_FRAME,
            compress=False,
            autoping=False,
            decode_text=False,  # the decoders and orjson take bytes
        )
        self._counters, self._protocol = counters, protocol
        self.said = 0  # the code with which we closed
        self.lingers = False
        """The client is in the middle of a frame that is not taken."""
        self._unanswered = False
        """We have closed, and the client has not yet: a stream is sent all the time."""
        self.early = b""
        """Bytes that came right behind the request, before `ReceiveBuffer` was installed."""

    @property
    def frames(self) -> FrameQueue:
        """Where the parser puts what it has finished."""
        assert isinstance(self._reader, FrameQueue)
        return self._reader

    def _post_start(self, request: web.BaseRequest, protocol: str | None, writer: Any) -> None:
        self.early, request.protocol._message_tail = request.protocol._message_tail, b""
        super()._post_start(request, protocol, writer)
        install(self, request.protocol, MAX_FRAME)

    def _handshake(self, request: web.BaseRequest) -> Any:
        """As aiohttp's, which looks at one header alone, with our choice of a subprotocol."""
        headers, _, *compression = super()._handshake(request)
        if self._protocol:
            headers["Sec-WebSocket-Protocol"] = self._protocol
        return headers, self._protocol, *compression

    async def send_frame(self, message: bytes, opcode: WSMsgType, compress: int | None = None) -> None:
        self._counters.sent += len(message)
        await super().send_frame(message, opcode, compress)

    async def send_part(self, part: bytes, opcode: WSMsgType, *, last: bool) -> None:
        """Write a fragment of a message; aiohttp writes whole ones alone. Raises ConnectionResetError."""
        writer = self._writer
        if writer is None or writer._closing or writer.transport.is_closing():
            raise ConnectionResetError("the connection is gone")
        self._counters.sent += len(part)
        writer.transport.write(fragment_head(opcode, len(part), last=last) + part)
        if writer.protocol._paused:
            await writer.protocol._drain_helper()

    async def close(self, *, code: int = 1000, message: bytes = b"", drain: bool = True) -> bool:
        if code == 1009 and not message:
            message = TOO_BIG
        self.said, self.lingers = code, self.lingers or code in BROKEN_FRAME
        self._unanswered = not self._closing
        return await super().close(code=code, message=message, drain=drain)

    @property
    def may_send(self) -> bool:
        """The client may still be sending: if the socket were closed now, it would lose what it was told."""
        return self.lingers or self._unanswered

    def _set_code_close_transport(self, code: Any) -> None:
        self._unanswered = False
        super()._set_code_close_transport(code)

    def _close_transport(self) -> None:
        if not self.may_send:
            super()._close_transport()


def fragment_head(opcode: int, size: int, *, last: bool) -> bytes:
    """The header of a frame of a server (RFC 6455, 5.2): nothing is masked. `size` is below 64 KB."""
    first = opcode | (FINAL if last else 0)
    return struct.pack("!BB", first, size) if size < 126 else struct.pack("!BBH", first, 126, size)
