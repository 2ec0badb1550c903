"""A caller's WebSocket: let in, read frame by frame, told to the session until one of the two is gone."""

import asyncio
import itertools
import re
import socket as socket_api
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from aiohttp import WebSocketError, WSMsgType, web
from aiohttp.http import WSMessageNoDecodeText
from aiohttp.typedefs import Handler

from actors.admission.rate import Rate
from actors.admission.waiting import CROWDED, LARGE, Holding, Kind, Ledger
from actors.counters import Counters
from actors.messages.admission import Connected, Detached, From
from actors.messages.caller import Chose, Close, FromCaller, Malformed, Mode, Recorded, SearchedPersona, TooFast
from actors.runtime import LoopRef, Ref
from schemas import Refused
from web.addresses import ADDRESS
from web.crowd import PACE
from web.guest import Guest
from web.large import MAX_FRAME
from web.outbox import TOO_SLOW, Outbox
from web.patience import PATIENCE, Patience
from web.unread import Unread
from web.wires import app

DEAD_SECONDS = 60  # what was sent and is not acknowledged for so long, nobody will ever receive
READ_FRAMES = 20  # then the other callers get the loop: buffered frames are read without waiting
READ_SECONDS = 0.001
LOOK_SECONDS = 1.0  # whether who is made to wait is still there
TEXT_COSTS = 4  # as many frames of audio, and one more for each
TEXT_BYTES = 4096
MOST_UNHANDLED = 64  # messages that wait for the session
CLOSE_SECONDS = 2.0
CONTROLS_A_SECOND = 20  # pings and pongs of the WebSocket itself; ten seconds of them may come at once
TOO_MANY = f"too many pings: send at most {CONTROLS_A_SECOND} a second"
USER_ID = re.compile(r"[\w.:@+-]{1,128}")
MODES: tuple[Mode, ...] = ("clip", "stream")
OVER = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)
PRIVATE_CODES = 3000  # from here on a close code means what a client and its own server have agreed upon
TOO_BIG = f"a frame may hold {MAX_FRAME // 2**20} MiB: send shorter clips".encode()

TOO_LARGE = Malformed("audio_too_big", "The clip is larger than may wait here: record a shorter one, or compress it.")

_numbers = itertools.count(1)


class Socket(web.WebSocketResponse[Literal[False]]):
    """aiohttp's, but it counts what it sends, and says why it closes on a frame that is too big."""

    counters: Counters
    early = b""
    """What came with the request, before anybody could stand before the reader."""

    def _post_start(self, request: web.BaseRequest, protocol: str | None, writer: Any) -> None:
        self.early, request.protocol._message_tail = request.protocol._message_tail, b""
        super()._post_start(request, protocol, writer)

    async def send_frame(self, message: bytes, opcode: WSMsgType, compress: int | None = None) -> None:
        self.counters.sent += len(message)
        await super().send_frame(message, opcode, compress)

    async def close(self, *, code: int = 1000, message: bytes = b"", drain: bool = True) -> bool:
        if code == 1009 and not message:
            message = TOO_BIG
        return await super().close(code=code, message=message, drain=drain)


def answer_calls(
    supervisor: Ref[Connected], counters: Counters, waiting: Ledger, patience: Patience = PATIENCE
) -> Handler:
    """The handler of `GET /ws-mobile/{user_id}` and `GET /ws/{user_id}`."""

    async def answer(request: web.Request) -> web.StreamResponse:
        user = request.match_info["user_id"]
        if not USER_ID.fullmatch(user):
            raise web.HTTPBadRequest(text="The user id may hold letters, digits and . : @ + - _, at most 128.\n")
        mode = next((mode for mode in MODES if mode == request.query.get("mode")), None)
        if mode is None and "mode" in request.query:
            raise web.HTTPBadRequest(text=f"The mode is one of: {', '.join(MODES)}.\n")
        if not request.headers.get("Sec-WebSocket-Key", "").isascii():  # aiohttp would fail at it
            raise web.HTTPBadRequest(text="The Sec-WebSocket-Key is no base64.\n")
        socket = Socket(
            timeout=CLOSE_SECONDS,
            max_msg_size=MAX_FRAME,
            compress=False,
            autoping=False,
            decode_text=False,  # bytes are what the decoders and orjson take
        )
        socket.counters = counters
        try:
            await socket.prepare(request)
        except ConnectionError:  # gone before we could answer: what was never begun cannot be closed either
            return web.Response()
        if isinstance(request.protocol, Guest):
            request.protocol.talk()
        _tune(request.transport, patience.unsent)
        connection = next(_numbers)
        address = request.get(ADDRESS, "")
        keeps = waiting.holding(connection, address)
        unread = Unread(socket, request.protocol, keeps, patience)
        unread.feed_data(socket.early)
        outbox = Outbox(socket, request.transport, connection, patience, keeps)
        writing = asyncio.create_task(outbox.run(), name=f"outbox {connection}")
        supervisor.tell(Connected(user, connection, outbox, mode, address))
        try:
            if session := await outbox.admitted:
                if wish := _wish(request.query):
                    session.tell(From(connection, wish))
                shore = Shore(socket, session, connection, keeps, unread, request, request.get(PACE))
                await _listen(shore, patience.pong_seconds)
        except (ConnectionError, TimeoutError):  # a pong could not be written: nobody reads
            if request.transport:
                request.transport.abort()
        else:
            await asyncio.wait([writing], timeout=CLOSE_SECONDS if outbox.closing else 0)
        finally:
            writing.cancel()
            unread.close()
            keeps.close()
        return socket

    return answer


def _tune(transport: asyncio.BaseTransport | None, unsent: int) -> None:
    """Let the kernel end a connection whose other end is gone, and hold little of what we send.

    What it holds, no `clear` can take back. aiohttp's heartbeat would cost a timer a frame.
    """
    connection = transport.get_extra_info("socket") if transport else None
    if connection is None:
        return
    connection.setsockopt(socket_api.SOL_SOCKET, socket_api.SO_SNDBUF, unsent)
    if hasattr(socket_api, "TCP_USER_TIMEOUT"):
        connection.setsockopt(socket_api.IPPROTO_TCP, socket_api.TCP_USER_TIMEOUT, DEAD_SECONDS * 1000)


def _wish(query: Mapping[str, str]) -> Chose | SearchedPersona | None:
    """Whom the address asks for: a persona, or else whoever fits some words."""
    if astrologer_id := query.get("astrologer_id"):
        return Chose(astrologer_id)
    if "match" in query:
        return SearchedPersona(query["match"], query.get("language") or None)
    return None


@dataclass(frozen=True, slots=True)
class Shore:
    """That of one caller who was let in: where their frames come from and go to, and what is counted of them."""

    socket: Socket
    session: LoopRef[From | Detached]
    connection: int
    keeps: Holding
    unread: Unread
    request: web.Request
    pace: Rate | None
    """Of all calls of their address; None where that has no limit."""

    def says(self, message: FromCaller) -> None:
        """Tell the session."""
        self.session.tell(From(self.connection, message))

    async def keep_pace(self, frames: int) -> None:
        """So many were read: where an address sends too much, TCP holds it back."""
        wait = self.pace.owe(time.monotonic(), frames) if self.pace else 0.0
        while wait > 0 and self.request.transport:
            await asyncio.sleep(min(wait, LOOK_SECONDS))
            wait -= LOOK_SECONDS


async def _listen(shore: Shore, pong_seconds: float) -> None:
    """Every frame to the session, and how it ended."""
    socket, session, connection = shore.socket, shore.session, shore.connection
    gone = Detached(connection)
    try:
        shore.unread.tell(shore.says)
        controls = Rate(CONTROLS_A_SECOND, 10 * CONTROLS_A_SECOND)
        frames, enough = 0, time.perf_counter() + READ_SECONDS
        while True:
            frame = await socket.receive()
            if frame.type is WSMsgType.BINARY or frame.type is WSMsgType.TEXT:
                size = len(frame.data)
                socket.counters.received += size
                if size > LARGE:
                    await _take(shore, frame)
                    del frame  # or it would be kept until the next comes
                    continue
                session.tell(From(connection, _read(frame)))
            elif frame.type in OVER:
                gone = replace(gone, how=_closed(frame) or gone.how)
                return
            elif not controls.take(time.monotonic()):
                shore.says(TooFast(TOO_MANY))
            elif frame.type is WSMsgType.PING:
                async with asyncio.timeout(pong_seconds):
                    await socket.pong(frame.data)
            frames += 1 if frame.type is WSMsgType.BINARY else TEXT_COSTS + len(frame.data) // TEXT_BYTES
            if frames >= READ_FRAMES or time.perf_counter() > enough or session.backlog >= MOST_UNHANDLED:
                await _room(session)
                await shore.keep_pace(frames)
                frames, enough = 0, time.perf_counter() + READ_SECONDS
    except TimeoutError:
        gone = replace(gone, how=TOO_SLOW)
        raise
    finally:
        session.tell(gone)


async def _take(shore: Shore, frame: WSMessageNoDecodeText) -> None:
    """A large frame: nothing else is read until the session has it, so that one at most lies in its mailbox."""
    counted = shore.keeps.parcel(Kind.CLIP)
    shore.unread.taken()
    size, message = len(frame.data), _read(frame)
    if not isinstance(message, Malformed) and not counted.resize(size):
        message = Malformed("busy", CROWDED) if size <= shore.keeps.ledger.caller else TOO_LARGE
    shore.says(replace(message, counted=counted) if isinstance(message, Recorded) else message)
    while True:
        await asyncio.sleep(0)
        backlog = shore.session.backlog
        if not backlog or (backlog < MOST_UNHANDLED and not counted.size):
            break
    counted.release()
    await shore.keep_pace(TEXT_COSTS + size // TEXT_BYTES)


def _closed(frame: WSMessageNoDecodeText) -> Close | None:
    """With which code: the caller's own, or ours for what is no WebSocket frame; None when there was none.

    A client's private code is counted as 1000: it would be taken for one of ours.
    """
    if frame.type is WSMsgType.CLOSE:
        code = frame.data or 1005  # a close frame without a code
        return Close(code if code < PRIVATE_CODES else 1000, f"the caller closed the connection with {code}")
    if isinstance(frame.data, WebSocketError):
        return Close(frame.data.code, str(frame.data))
    return None


async def _room(session: LoopRef[From | Detached]) -> None:
    """Let the others have the loop, and stop reading until the session has caught up: TCP holds the caller back."""
    while True:
        await asyncio.sleep(0)
        if session.backlog < MOST_UNHANDLED:
            return


def _read(frame: WSMessageNoDecodeText) -> FromCaller:
    try:
        if frame.type is WSMsgType.BINARY:
            return app.read_audio(frame.data)
        return app.read(frame.data)
    except Refused as refused:
        return Malformed(refused.code, refused.message)
