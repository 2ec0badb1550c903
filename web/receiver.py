"""The receiving half of a call's WebSocket: each frame is decoded and sent to the session, at a pace that it bears.

A frame takes one of two ways. While the session keeps up, aiohttp's parser hands it to `_straight`, which tells the
session at once. What is over the budget, and all that comes behind it, waits in the queue; there `_receive` finds it,
and goes on when the session and the address can bear it. A call that hurries (reading_budget.py) waits for a turn
before its budget begins anew, which it shares with the requests and with all other calls that hurry. So a flood is read
as fast as the loop has nothing better to do, and so is what a caller sends at once who was out of reach.
"""

import asyncio
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from aiohttp import WebSocketError, WSMsgType, web
from aiohttp.http import WSMessageNoDecodeText

from actors.admission.rate import Rate
from actors.admission.waiting import CROWDED, LARGE, Holding, Kind
from actors.counters import Counters
from actors.messages.admission import GONE, Detached, From, Wished
from actors.messages.caller import Close, FromCaller, Malformed, Partial, Recorded, Spoke, Stray, TooFast
from schemas import Refused
from web.frame_queue import FrameQueue
from web.outbox import TOO_SLOW
from web.reading_budget import LONGEST, MOST_UNHANDLED, ReadingBudget, text_cost
from web.receive_buffer import ReceiveBuffer
from web.request_scheduler import SCHEDULER
from web.wires import app
from web.wires.binary import BinaryFrames

BINARY, TEXT = WSMsgType.BINARY, WSMsgType.TEXT
READ_SECONDS = 0.001  # in a row, of what was buffered
LAST_READS = 8  # so many times in a row, once the connection is lost; what is left then is thrown away
POLL_SECONDS = 1.0  # how often a throttled reader checks that the connection is still open
LONG_TEXT = 4096  # bytes; to check 64 KB of JSON takes 2 ms, so longer texts take turns with other calls' and requests
CONTROLS_A_SECOND = 20  # ping and pong frames; ten seconds of them may come at once
TOO_MANY = f"too many pings: send at most {CONTROLS_A_SECOND} a second"
OVER = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)
PRIVATE_CODES = 3000  # close codes from here on are private to a client and its own server (RFC 6455, 7.4.2)
PARTIAL = Partial()
TOO_LARGE = Malformed("audio_too_big", "The clip is larger than may wait here: record a shorter one, or compress it.")


class Told(Protocol):
    """The session, or what stands before it."""

    @property
    def backlog(self) -> int:
        """Messages that it has not handled."""
        ...

    def tell(self, message: From | Wished | Detached, /) -> None:
        """Tell the session."""
        ...


@dataclass(slots=True)
class Receiver:
    """The receiving half of one admitted connection."""

    socket: web.WebSocketResponse[bool]
    frames: FrameQueue
    session: Told
    connection: int
    holding: Holding
    receive_buffer: ReceiveBuffer
    request: web.Request
    counters: Counters
    budget: ReadingBudget
    seen_at: Callable[[], float | None] = field(default=lambda: None, init=False)
    """When the caller gave the last sign of life."""
    first: WSMessageNoDecodeText | None = field(default=None, init=False)
    """A frame that was received before there was a session."""
    binary: BinaryFrames = field(default_factory=lambda: BinaryFrames(time.monotonic))
    _enough: float = field(default=0.0, init=False)  # when `_receive` has read for long enough in a row
    _last_reads: int = field(default=LAST_READS, init=False)

    async def run(self, pong_seconds: float) -> None:
        """Send every frame to the session, and at the end `Detached` with the reason.

        Raises TimeoutError when a pong cannot be written within `pong_seconds`, ConnectionError when the peer is gone.
        """
        gone = Detached(self.connection)
        try:
            self.receive_buffer.report_to(self._send)
            gone = replace(gone, how=await self._receive(pong_seconds) or gone.how)
        except TimeoutError:
            gone = replace(gone, how=TOO_SLOW)
            raise
        finally:
            self.frames.leave()
            self.session.tell(replace(gone, seen_at=self.seen_at()) if gone.how in (GONE, TOO_SLOW) else gone)

    @property
    def pulse(self) -> Hashable:
        """Differs from before if a frame has come since, or some of a large one."""
        return self.budget.told, self.receive_buffer.incomplete

    @property
    def holds_back(self) -> bool:
        """True while nothing is read because the address is over its rate, or others have their turns."""
        return self.budget.holds_back

    def _straight(self, frame: WSMessageNoDecodeText) -> bool:
        """The parser has finished a frame, and none waits: tell the session at once, if the budget allows that.

        An error is left to `_receive`, where it ends the call and is logged.
        """
        if self.budget.spent(self.session.backlog) or _is_long(frame):
            return False
        try:
            self._tell(frame)
        except Exception:
            return False
        return True

    async def _receive(self, pong_seconds: float) -> Close | None:
        """Receive until the WebSocket is closed; returns what `_closed` says of the last frame."""
        socket, straight = self.socket, self._straight
        controls = Rate(CONTROLS_A_SECOND, 10 * CONTROLS_A_SECOND)
        while True:
            if (frame := self.first) is None:
                self.frames.listen(straight)
                frame = await socket.receive()
            self.first = None
            if frame.type in OVER:
                return _closed(frame)
            if self.budget.spent(self.session.backlog) or time.perf_counter() > self._enough:
                await self._drained()
                self.budget.charge()
                if self._leaves_the_rest():
                    return None
                await self._throttle()
            if frame.type is BINARY or frame.type is TEXT:
                if len(frame.data) <= LARGE:
                    if _is_long(frame):
                        await self.request.app[SCHEDULER].turn()
                    self._tell(frame)
                    continue
                await self._send_large(frame)
                del frame  # it would be referenced until the next frame comes
            else:
                self._wrote(len(frame.data))
                if not controls.take(time.monotonic()):
                    self._send(TooFast(TOO_MANY))
                elif frame.type is WSMsgType.PING:
                    async with asyncio.timeout(pong_seconds):
                        await socket.pong(frame.data)

    def _leaves_the_rest(self) -> bool:
        """True if the connection was lost a while ago, or is and had sent too much: the rest is of no use to the call.

        It ends, or it is resumed, and then the caller sends again what was not handled.
        """
        if self.request.transport is None:
            self._last_reads -= LAST_READS + 1 if self.budget.hurries else 1
        return self._last_reads < 0

    def _tell(self, frame: WSMessageNoDecodeText) -> None:
        """Tell the session the message in a frame that is not large."""
        size, message, budget = len(frame.data), self._decoded(frame), self.budget
        self.counters.received += size
        if type(message) is Spoke:
            budget.told += 1
            budget.speech += 1
        else:
            self._wrote(size)
        self.session.tell(From(self.connection, message))

    def _wrote(self, size: int) -> None:
        """A frame has come that is no sound."""
        cost = text_cost(size)
        self.budget.told += cost
        self.budget.speech -= cost

    def _send(self, message: FromCaller) -> None:
        self.session.tell(From(self.connection, message))

    def _decoded(self, frame: WSMessageNoDecodeText) -> FromCaller:
        """The message in a frame; Partial if it says nothing by itself."""
        try:
            if frame.type is BINARY:
                return self.binary.read(frame.data) or PARTIAL
            return app.read(frame.data)
        except Refused as refused:
            return Malformed(refused.code, refused.message)

    async def _send_large(self, frame: WSMessageNoDecodeText) -> None:
        """Send a large frame, and read nothing else until the session has handled it: its mailbox holds one at most."""
        counted = self.holding.parcel(Kind.CLIP)
        self.receive_buffer.frame_read()
        size, message = len(frame.data), self._decoded(frame)
        self.counters.received += size
        if not isinstance(message, Malformed | Stray) and not counted.resize(size):
            message = Malformed("busy", CROWDED) if size <= self.holding.ledger.caller else TOO_LARGE
        self._send(replace(message, counted=counted) if isinstance(message, Recorded) else message)
        while True:
            await asyncio.sleep(0)
            backlog = self.session.backlog
            if not backlog or (backlog < MOST_UNHANDLED and not counted.size):
                break
        counted.release()
        self._wrote(size)
        await self._throttle()

    async def _drained(self) -> None:
        """Yield the loop until the session's mailbox is below its limit; meanwhile TCP holds the caller back."""
        while True:
            await asyncio.sleep(0)
            if self.session.backlog < MOST_UNHANDLED:
                return

    async def _throttle(self) -> None:
        """Begin anew; before that, wait while the address is over its rate, and for a turn if the call hurries.

        Meanwhile TCP holds the caller back.
        """
        budget = self.budget
        budget.charge()
        while budget.held > 0 and self.request.transport:
            await asyncio.sleep(min(budget.held, POLL_SECONDS))
            budget.held -= POLL_SECONDS
        if budget.hurries:
            await self._turn()
        budget.renew()
        self._enough = time.perf_counter() + READ_SECONDS

    async def _turn(self) -> None:
        """Wait for a turn, but not for good who speaks.

        While others flood, a turn may take seconds to come. Who was out of reach would never catch up with what they
        say meanwhile.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST if self.budget.speaks() else None):
                await self.request.app[SCHEDULER].turn()


def _is_long(frame: WSMessageNoDecodeText) -> bool:
    return frame.type is TEXT and len(frame.data) > LONG_TEXT


def _closed(frame: WSMessageNoDecodeText) -> Close | None:
    """The caller's close code, or ours for an invalid frame; None where there was neither.

    A client's private code is counted as 1000, because it would be mistaken for one of ours.
    """
    if frame.type is WSMsgType.CLOSE:
        code = frame.data or 1005  # a close frame without a code
        return Close(code if code < PRIVATE_CODES else 1000, f"the caller closed the connection with {code}")
    if isinstance(frame.data, WebSocketError):
        return Close(frame.data.code, str(frame.data))
    return None
