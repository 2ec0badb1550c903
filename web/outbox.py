"""The one file that moves the caller's bytes: what a session tells is written to the socket, in order."""

import asyncio
import io
import logging
from collections import deque
from typing import TypeAlias

from aiohttp import WSMsgType, web

from actors.admission.waiting import LARGE, Holding, Kind, Ledger
from actors.messages.admission import Admitted, Detached, From
from actors.messages.caller import AudioResponse, Clear, Close, Sound, ToCaller
from actors.runtime import LoopRef
from web.brief import reason
from web.patience import PATIENCE, Patience
from web.wires import app

log = logging.getLogger(__name__)

Queued: TypeAlias = bytes | AudioResponse | Sound | Close
"""What may wait to be written: a whole reply is made text when it is its turn."""

PING_SECONDS = 30.0
PING = b""
TOO_SLOW = Close(4408, "you read too slowly: check the network and call again")


class Outbox:
    """A Ref for whoever talks to this caller. `admitted` resolves to the session, or to None with a Close."""

    def __init__(
        self,
        socket: web.WebSocketResponse[bool],
        transport: asyncio.BaseTransport | None,
        connection: int,
        patience: Patience = PATIENCE,
        holding: Holding | None = None,
    ) -> None:
        self._socket, self._transport, self._connection = socket, transport, connection
        self._most_text, self._most_sound = patience.text, patience.sound
        self._write_seconds, self._slowest_line = patience.write_seconds, patience.slowest_line
        self._session: LoopRef[From | Detached] | None = None
        self._waiting: deque[Queued] = deque()
        self._text = 0  # bytes of messages that wait
        self._sound = 0  # bytes of a stream that wait
        self._large = (holding or Ledger().holding(connection)).parcel(Kind.REPLY, lambda lost: self._crowded())
        self._wake = asyncio.Event()
        self.closing = False  # a Close was told: `run` ends by itself, within the time that a close may take
        self.admitted: asyncio.Future[LoopRef[From | Detached] | None] = asyncio.get_running_loop().create_future()

    def tell(self, message: ToCaller | Admitted, /) -> None:
        """Queue it; after a Close, and once the client is too slow, nothing more is taken."""
        if isinstance(message, Admitted):
            self._session = message.session
            if not self.admitted.done():
                self.admitted.set_result(message.session)
        elif not self.closing:
            if isinstance(message, Clear):
                self._drop(message.response_id)
            self._put(message if isinstance(message, AudioResponse | Close | Sound) else app.write(message))

    def _crowded(self) -> None:
        """Others need the room of what this caller does not read: a close could only come after all of it."""
        if not self.closing:
            self._put(TOO_SLOW)
        if isinstance(self._transport, asyncio.WriteTransport):
            self._transport.abort()

    def _put(self, frame: Queued) -> None:
        fits = self._count(frame, 1)
        if not fits or frame is TOO_SLOW or self._text > self._most_text or self._sound > self._most_sound:
            self._waiting.clear()
            self._large.release()
            frame = TOO_SLOW
            self._give_up()
        self.closing = isinstance(frame, Close)
        self._waiting.append(frame)
        self._wake.set()

    def _count(self, frame: Queued, sign: int) -> bool:
        """One more that waits, or one less; False where there is no room for it."""
        if isinstance(frame, Sound):
            self._sound += sign * len(frame.pcm)
            return True
        size = _size(frame)
        self._text += sign * size
        return size <= LARGE or self._large.resize(max(0, self._large.size + sign * size))

    def _drop(self, response_id: str) -> None:
        """Nobody wants to hear what still waits of this reply."""
        kept = deque[Queued]()
        for frame in self._waiting:
            if isinstance(frame, Sound) and frame.response_id == response_id:
                self._count(frame, -1)
            else:
                kept.append(frame)
        self._waiting = kept

    async def run(self) -> None:
        """Write until a Close was told, or the socket is gone."""
        self._beat_later()
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting:
                    if await self._write(self._waiting.popleft()):
                        return
        except (ConnectionError, TimeoutError) as error:
            log.debug("the caller is gone, or reads nothing: %r", error)
            if isinstance(error, TimeoutError):
                self._give_up()
            if self.closing:
                self._turn_away()
            if isinstance(self._transport, asyncio.WriteTransport):
                self._transport.abort()
            forget_frames(error)
        finally:
            self._let_go()

    def _let_go(self) -> None:
        """Nothing is written any more: keep nothing of what waits, and nobody."""
        self._next_beat.cancel()
        self.closing = True
        self._waiting.clear()
        self._large.release()

    def _give_up(self) -> None:
        """The caller reads too slowly: the call is over, also while its last frame still cannot be written."""
        if self._session:
            self._session.tell(Detached(self._connection, TOO_SLOW))

    def _beat_later(self) -> None:
        self._next_beat = asyncio.get_running_loop().call_later(PING_SECONDS, self._beat)

    def _beat(self) -> None:
        """Ping now and then: what is in between keeps the way open, and the kernel learns if the other end is dead."""
        self._beat_later()
        if not self.closing:
            self._put(PING)

    async def _write(self, frame: Queued) -> bool:
        """Write one; True when it was the last."""
        if isinstance(frame, Close):
            self._turn_away()
            async with asyncio.timeout(self._write_seconds):
                await self._socket.close(code=frame.code, message=reason(frame.reason))
            return True
        data, kind = (frame.pcm, WSMsgType.BINARY) if isinstance(frame, Sound) else (await _text(frame), WSMsgType.TEXT)
        if frame is PING:
            kind = WSMsgType.PING
        async with asyncio.timeout(self._write_seconds + len(data) / self._slowest_line):
            await self._socket.send_frame(data, kind)
        self._count(frame, -1)
        return False

    def _turn_away(self) -> None:
        if not self.admitted.done():
            self.admitted.set_result(None)


def _size(frame: bytes | AudioResponse | Close) -> int:
    """Bytes of a message, as it will be written."""
    if isinstance(frame, AudioResponse):
        return len(frame.pcm) * 4 // 3
    return len(frame) if isinstance(frame, bytes) else 0


async def _text(frame: bytes | AudioResponse) -> bytes:
    """As it is written; of a whole reply a piece in each turn of the loop, so that nobody waits for all of it."""
    if isinstance(frame, bytes):
        return frame
    text = io.BytesIO()  # it grows where it is: to join the pieces would touch all that memory at once
    for piece in app.pieces(frame):
        text.write(piece)
        await asyncio.sleep(0)
    return text.getvalue()


def forget_frames(error: BaseException | None) -> None:
    """What was at work when a connection was lost is kept by its exception, which aiohttp's frames keep in turn."""
    while error:
        error.__traceback__ = None
        error = error.__context__
