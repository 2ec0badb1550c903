"""A call's WebSocket: the upgrade of the request, the admission by the supervisor, then reading and writing."""

import asyncio
import itertools
import re
import socket as socket_api
from collections.abc import Mapping
from typing import Any, Literal

from aiohttp import WSMsgType, web

from actors.admission.waiting import Ledger
from actors.counters import Counters
from actors.messages.admission import Connected, From
from actors.messages.caller import Chose, Mode, SearchedPersona
from actors.runtime import Ref
from web.addresses import ADDRESS
from web.client_limits import CLIENT_LIMITS, ClientLimits
from web.connections import MESSAGE_RATE
from web.outbox import Outbox
from web.reassembly import MAX_FRAME
from web.receive_buffer import ReceiveBuffer
from web.receiver import Receiver
from web.request_handler import TimedRequestHandler

DEAD_SECONDS = 60  # the kernel ends a connection on which sent bytes stay unacknowledged for so long
CLOSE_SECONDS = 2.0
USER_ID = re.compile(r"[\w.:@+-]{1,128}")
MODES: tuple[Mode, ...] = ("clip", "stream")
TOO_BIG = f"a frame may hold {MAX_FRAME // 2**20} MiB: send shorter clips".encode()

_numbers = itertools.count(1)


class Socket(web.WebSocketResponse[Literal[False]]):
    """aiohttp's WebSocket, which also counts sent bytes and gives the reason when it closes with 1009."""

    def __init__(self, counters: Counters) -> None:
        super().__init__(
            timeout=CLOSE_SECONDS,
            max_msg_size=MAX_FRAME,
            compress=False,
            autoping=False,
            decode_text=False,  # the decoders and orjson take bytes
        )
        self._counters = counters
        self.early = b""
        """Bytes that came right behind the request, before `ReceiveBuffer` was installed."""

    def _post_start(self, request: web.BaseRequest, protocol: str | None, writer: Any) -> None:
        self.early, request.protocol._message_tail = request.protocol._message_tail, b""
        super()._post_start(request, protocol, writer)

    async def send_frame(self, message: bytes, opcode: WSMsgType, compress: int | None = None) -> None:
        self._counters.sent += len(message)
        await super().send_frame(message, opcode, compress)

    async def close(self, *, code: int = 1000, message: bytes = b"", drain: bool = True) -> bool:
        if code == 1009 and not message:
            message = TOO_BIG
        return await super().close(code=code, message=message, drain=drain)


class Endpoint:
    """The handler of `GET /ws-mobile/{user_id}` and `GET /ws/{user_id}`."""

    def __init__(
        self,
        supervisor: Ref[Connected],
        counters: Counters,
        waiting: Ledger,
        client_limits: ClientLimits = CLIENT_LIMITS,
    ) -> None:
        self._supervisor, self._counters, self._waiting, self._client_limits = (
            supervisor,
            counters,
            waiting,
            client_limits,
        )

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Upgrade the request and serve the call to its end; raises HTTPBadRequest."""
        user, mode = _caller(request)
        socket = Socket(self._counters)
        try:
            await socket.prepare(request)
        except ConnectionError:  # the peer left before the upgrade: an unprepared WebSocket cannot be closed
            return web.Response()
        if isinstance(request.protocol, TimedRequestHandler):
            request.protocol.upgraded()
        _tune(request.transport, self._client_limits.unsent)
        await self._serve(socket, request, user, mode)
        return socket

    async def _serve(self, socket: Socket, request: web.Request, user: str, mode: Mode | None) -> None:
        """Ask the supervisor to admit the caller, and run both directions until one of them ends."""
        connection, address = next(_numbers), request.get(ADDRESS, "")
        holding = self._waiting.holding(connection, address)
        receive_buffer = ReceiveBuffer(socket, request.protocol, holding, self._client_limits)
        receive_buffer.feed_data(socket.early)
        outbox = Outbox(socket, request.transport, connection, self._client_limits, holding)
        writing = asyncio.create_task(outbox.run(), name=f"outbox {connection}")
        self._supervisor.tell(Connected(user, connection, outbox, mode, address))
        try:
            if session := await outbox.admitted:
                if wish := _wish(request.query):
                    session.tell(From(connection, wish))
                rate = request.get(MESSAGE_RATE)
                receiver = Receiver(socket, session, connection, holding, receive_buffer, request, self._counters, rate)
                await receiver.run(self._client_limits.pong_seconds)
        except (ConnectionError, TimeoutError):  # a pong could not be written: the peer does not read
            if request.transport:
                request.transport.abort()
        else:
            await asyncio.wait([writing], timeout=CLOSE_SECONDS if outbox.closing else 0)
        finally:
            writing.cancel()
            receive_buffer.close()
            holding.close()


def _caller(request: web.Request) -> tuple[str, Mode | None]:
    """The user id and the mode that the address names; raises HTTPBadRequest."""
    user = request.match_info["user_id"]
    if not USER_ID.fullmatch(user):
        raise web.HTTPBadRequest(text="The user id may hold letters, digits and . : @ + - _, at most 128.\n")
    mode = next((mode for mode in MODES if mode == request.query.get("mode")), None)
    if mode is None and "mode" in request.query:
        raise web.HTTPBadRequest(text=f"The mode is one of: {', '.join(MODES)}.\n")
    if not request.headers.get("Sec-WebSocket-Key", "").isascii():  # aiohttp raises on it
        raise web.HTTPBadRequest(text="The Sec-WebSocket-Key is no base64.\n")
    return user, mode


def _tune(transport: asyncio.BaseTransport | None, unsent: int) -> None:
    """Have the kernel end a dead connection, and limit its send buffer to `unsent` bytes.

    A `clear` cannot take back what is in that buffer. aiohttp's heartbeat would set a timer for each frame.
    """
    connection = transport.get_extra_info("socket") if transport else None
    if connection is None:
        return
    connection.setsockopt(socket_api.SOL_SOCKET, socket_api.SO_SNDBUF, unsent)
    if hasattr(socket_api, "TCP_USER_TIMEOUT"):
        connection.setsockopt(socket_api.IPPROTO_TCP, socket_api.TCP_USER_TIMEOUT, DEAD_SECONDS * 1000)


def _wish(query: Mapping[str, str]) -> Chose | SearchedPersona | None:
    """The persona that the address names, or else the search for one."""
    if astrologer_id := query.get("astrologer_id"):
        return Chose(astrologer_id)
    if "match" in query:
        return SearchedPersona(query["match"], query.get("language") or None)
    return None
