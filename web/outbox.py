"""The sending half of a call's WebSocket: the session's messages are queued, and written to the socket in order."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Protocol, TypeAlias

from aiohttp import WSMsgType

from actors.admission import waiting
from actors.admission.waiting import LARGE, Holding, Kind, weakly
from actors.call.resume.ledger import Frame, Ledger
from actors.gate import Gate
from actors.messages.admission import Admitted, Detached, From, Wished
from actors.messages.caller import SLOW, AudioResponse, Clear, Close, Sound, ToCaller
from actors.messages.resuming import NotResumed, Resumed
from actors.runtime import LoopRef
from web.client_limits import CLIENT_LIMITS, ClientLimits
from web.error_size import close_reason
from web.held_socket import HeldSocket, Socket
from web.wires import app

log = logging.getLogger(__name__)

Session: TypeAlias = LoopRef[From | Wished | Detached]
Queued: TypeAlias = bytes | AudioResponse | Sound | Resumed | NotResumed | Close
"""What the queue holds. An `AudioResponse` is encoded only when it is written, and so is what is not counted."""

AS_IT_IS = (Sound, AudioResponse, Close, Resumed, NotResumed)
PING = b""
TOO_SLOW = Close(SLOW, "you read too slowly: check the network, then resume or call again")


class Line(Protocol):
    """A transport. uvloop's are no instances of asyncio's classes."""

    def abort(self) -> None:
        """Cut the connection."""
        ...


class Outbox:
    """A Ref that sends to the caller. `admitted` resolves to the session, or to None when the call is refused.

    A caller who reads too slowly, so that the queue exceeds its limits, is closed with `TOO_SLOW`. `written` counts the
    data frames of which the writing began, `parts` bytes of whole replies. What a caller who may come back has not
    received is noted in a ledger, and what is not written when their connection is lost waits to be seized.
    """

    def __init__(
        self,
        socket: Socket,
        transport: Line | None,
        connection: int,
        client_limits: ClientLimits = CLIENT_LIMITS,
        holding: Holding | None = None,
    ) -> None:
        self._socket, self._transport, self._connection = socket, transport, connection
        self._most_text, self._most_sound = client_limits.text, client_limits.sound
        self._write_seconds, self._slowest_line = client_limits.write_seconds, client_limits.slowest_line
        self._session: Session | None = None
        self._ledger: Ledger | None = None
        self._seized = False
        self.written = self.parts = 0
        self._waiting: deque[Queued] = deque()
        self._text = 0  # queued bytes of messages
        self._sound = 0  # queued bytes of streamed audio
        self._large = (holding or waiting.Ledger().holding(connection)).parcel(Kind.REPLY, weakly(self._evict))
        self._wake: asyncio.Future[None] | None = None  # an asyncio.Event keeps a queue
        self.seen_at: Callable[[], float | None] = lambda: None  # when the caller gave the last sign of life
        self.closing = False  # a Close is queued or written: `run` ends within the time that a close may take
        self.admitted: asyncio.Future[Session | None] = asyncio.get_running_loop().create_future()

    def tell(self, message: ToCaller | Admitted, /) -> None:
        """Queue a message; after a Close, or when the caller is too slow, it is dropped."""
        if isinstance(message, Admitted):
            self._session = message.session
            if not self.admitted.done():
                self.admitted.set_result(message.session)
        elif not self.closing:
            if isinstance(message, Clear):
                self._drop(message.response_id)
            self._put(message if isinstance(message, AS_IT_IS) else app.write(message))

    # A server that may have slept.

    def hold(self, gate: Gate) -> None:
        """Write nothing until the gate is open: what is handed to the socket waits before it."""
        self._socket = HeldSocket(self._socket, gate, lambda: self._seized)

    def release(self) -> None:
        """The gate is open."""
        if isinstance(self._socket, HeldSocket):
            self._socket = self._socket.held

    # A caller who may come back.

    def keep(self, ledger: Ledger) -> None:
        """Note in `ledger` each data frame that is written from now on."""
        ledger.first = self.written
        self._ledger = ledger

    def seize(self) -> list[Frame]:
        """Take what waits, in its order; from now on nothing but a Close is written."""
        frames = [one for one in self._waiting if isinstance(one, Frame) and one is not PING]
        self._waiting = deque(one for one in self._waiting if isinstance(one, Close))
        self._text = self._sound = 0
        self._large.release()
        self._ledger, self._seized = None, True
        return frames

    @property
    def unsent(self) -> int:
        """Bytes of streamed audio that wait to be written."""
        return self._sound

    def _evict(self) -> None:
        """The ledger needs this memory for others: abort, because a close frame would come after all that is queued."""
        if not self.closing:
            self._put(TOO_SLOW)
        if self._transport:
            self._transport.abort()

    def _put(self, frame: Queued) -> None:
        if self._seized and not isinstance(frame, Close):
            return
        fits = self._count(frame, 1)
        if not fits or frame is TOO_SLOW or self._text > self._most_text or self._sound > self._most_sound:
            self._waiting.clear()
            self._large.release()
            if self._ledger:
                self._ledger.forfeit()  # it cannot be whole any more
            frame = TOO_SLOW
            self._detach()
        self.closing = isinstance(frame, Close)
        self._waiting.append(frame)
        if self._wake and not self._wake.done():
            self._wake.set_result(None)

    def _count(self, frame: Queued, sign: int) -> bool:
        """Count a frame that was queued (`sign` 1) or removed (-1); False if the ledger has no room for it."""
        if isinstance(frame, Sound):
            self._sound += sign * len(frame.pcm)
            return True
        size = _size(frame)
        self._text += sign * size
        return size <= LARGE or self._large.resize(max(0, self._large.size + sign * size))

    def _drop(self, response_id: str) -> None:
        """Remove the queued audio of a cancelled reply: on a slow line the next one would wait a minute behind it."""
        remaining = deque[Queued]()
        if self._ledger:
            self._ledger.take_back(response_id)
        for frame in self._waiting:
            if isinstance(frame, Sound | AudioResponse) and frame.response_id == response_id:
                self._count(frame, -1)
            else:
                remaining.append(frame)
        self._waiting = remaining

    async def run(self) -> None:
        """Write until a Close is written, or the connection is lost."""
        try:
            while True:
                if not self._waiting:
                    self._wake = asyncio.get_running_loop().create_future()
                    await self._wake
                while self._waiting:
                    if await self._write(self._waiting.popleft()):
                        return
        except (ConnectionError, TimeoutError) as error:
            log.debug("the caller is gone, or reads nothing: %r", error)
            if isinstance(error, TimeoutError):
                self._detach()
            if self.closing:
                self._refuse()
            if self._transport:
                self._transport.abort()
            forget_frames(error)
        finally:
            self._release()

    def _release(self) -> None:
        """Nothing is written any more: drop the queue, unless the call goes on over another connection."""
        if self._ledger and not self.closing:
            return
        self.closing = True
        self._waiting.clear()
        self._large.release()

    def _detach(self) -> None:
        """Tell the session of a caller who reads too slowly, even though the last frame is not written yet."""
        if self._session:
            self._session.tell(Detached(self._connection, TOO_SLOW, self.seen_at()))

    def ping(self) -> None:
        """Ask whether anybody is there, unless that waits to be written: the kernel detects a dead peer by it, too."""
        if not self.closing and not any(frame is PING for frame in self._waiting):
            self._put(PING)

    async def _write(self, frame: Queued) -> bool:
        """Write one frame; True if it was a Close."""
        if isinstance(frame, Close):
            self._refuse()
            async with asyncio.timeout(self._write_seconds):
                await self._socket.close(code=frame.code, message=close_reason(frame.reason))
            return True
        if isinstance(frame, Sound):
            self.written += 1
            if self._ledger is not None:
                self._ledger.wrote(frame)
            data, kind = frame.pcm, WSMsgType.BINARY
        elif frame is PING:
            data, kind = PING, WSMsgType.PING
        elif isinstance(frame, Resumed | NotResumed):
            data, kind = app.write(frame), WSMsgType.TEXT
        else:
            self.written += 1
            if self._ledger is not None:
                self._ledger.wrote(frame)
            if isinstance(frame, AudioResponse) and _size(frame) > LARGE:
                await self._write_in_parts(frame)
                return False
            data, kind = app.write(frame) if isinstance(frame, AudioResponse) else frame, WSMsgType.TEXT
        async with asyncio.timeout(self._write_seconds + len(data) / self._slowest_line):
            await self._socket.send_frame(data, kind)
        self._count(frame, -1)
        return False

    async def _write_in_parts(self, reply: AudioResponse) -> None:
        """Write a whole reply as one message of many parts: on a slow line pings, pongs and a close go in between.

        Nobody wants the rest if the caller goes on over another connection, or is closed for reading too slowly.
        """
        kind = WSMsgType.TEXT
        async with asyncio.timeout(self._write_seconds + _size(reply) / self._slowest_line):
            for part in app.pieces(reply):
                self.parts += len(part)
                await self._socket.send_part(part, kind, last=False)
                kind = WSMsgType.CONTINUATION
                await asyncio.sleep(0)
                if self._seized or TOO_SLOW in self._waiting:
                    return
                if any(frame is PING for frame in self._waiting):
                    self._waiting = deque(frame for frame in self._waiting if frame is not PING)
                    await self._socket.send_frame(PING, WSMsgType.PING)
            await self._socket.send_part(b"", kind, last=True)
        self._count(reply, -1)

    def _refuse(self) -> None:
        if not self.admitted.done():
            self.admitted.set_result(None)


def _size(frame: Queued) -> int:
    """The size of the frame in bytes; 0 for a Close, and for what is not counted."""
    if isinstance(frame, AudioResponse):
        return len(frame.pcm) * 4 // 3
    return len(frame) if isinstance(frame, bytes) else 0


def forget_frames(error: BaseException | None) -> None:
    """Drop the tracebacks: aiohttp keeps the exception of a lost connection, and with it the local variables."""
    while error:
        error.__traceback__ = None
        error = error.__context__
