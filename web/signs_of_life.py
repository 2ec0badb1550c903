"""Who is gone is found out: one timer looks at all connections of calls once a second, and nothing is done per frame.

A sign of life is a frame (a pong, too), or bytes of ours that were acknowledged while more of them wait here: a whole
reply of 4 MB takes 52 s on a slow line. Where nothing waits here, acknowledged is no sign: a proxy takes a ping, too.

    sign ──── 5 s ──▶ ping, once, if it was a stream ──── 12 s ──▶ ping ──── 25 s ──▶ LostSight ──── 60 s ──▶ aborted
      ▲                                                                                   │
      └────────────────────────────────────── a sign: SeenAgain ──────────────────────────┘

The session stops the meter at the last sign while its caller is out of sight.
"""

import asyncio
import fcntl
import struct
import termios
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, cast

from actors.messages.admission import Detached, From, LostSight, SeenAgain
from actors.messages.caller import Close
from actors.runtime import LoopRef
from web.client_limits import ClientLimits
from web.outbox import Outbox
from web.receiver import Receiver

STREAM = 3  # times in a row in which frames have come: a caller who sends clips sends none for seconds


class Move(Enum):
    """What is to be done about a connection."""

    PING = "ask whether anybody is there"
    LOST = "nobody was seen for long: stop the meter"
    BACK = "they were seen again"
    GONE = "nobody is there"


@dataclass(slots=True)
class Life:
    """What is known of one connection, the last look at which was like this. Pure: `now` is in seconds."""

    limits: ClientLimits
    seen_at: float
    frames: Hashable = None
    waiting: int = 0
    outstanding: int = 0
    pinged_at: float = field(init=False)
    lost: bool = field(default=False, init=False)
    _in_a_row: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.pinged_at = self.seen_at

    def look(self, now: float, frames: Hashable, waiting: int, outstanding: int) -> list[Move]:
        """What is to be done. `frames` differs from before if frames came, or we read none of those that wait.

        Of what was sent `waiting` bytes are still here, and `outstanding` are not acknowledged, those included, less
        what was given to the connection of whole replies since it began: so it falls while they are acknowledged.
        """
        moves, came = list[Move](), frames != self.frames
        if came or (self.waiting and outstanding < self.outstanding):
            self.seen_at = now
            if self.lost:
                self.lost = False
                moves.append(Move.BACK)
        streamed = self._in_a_row >= STREAM
        if came:
            self._in_a_row += 1
        self.frames, self.waiting, self.outstanding = frames, waiting, outstanding
        quiet = now - self.seen_at
        if quiet >= self.limits.gone_seconds:
            return [Move.GONE]
        if streamed and quiet >= self.limits.stream_seconds:
            self._in_a_row = 0
            moves.append(Move.PING)
        elif not came and not streamed:
            self._in_a_row = 0
        if quiet >= self.limits.lost_seconds and not self.lost:
            self.lost = True
            moves.append(Move.LOST)
        asked = now - self.pinged_at
        if asked >= self.limits.ping_seconds or (
            min(quiet, asked) >= self.limits.quiet_ping_seconds and Move.PING not in moves
        ):
            moves.append(Move.PING)
        if Move.PING in moves:
            self.pinged_at = now
        return moves


@dataclass(eq=False, slots=True)
class Line:
    """The connection of one admitted call."""

    connection: int
    session: LoopRef[From | Detached | LostSight | SeenAgain]
    receiver: Receiver
    outbox: Outbox
    transport: asyncio.WriteTransport
    life: Life

    def look(self, now: float) -> list[Move]:
        """Sample it."""
        receiver = self.receiver
        frames = object() if receiver.holds_back else receiver.pulse
        waiting = 0 if self.transport.is_closing() else self.transport.get_write_buffer_size()
        outstanding = waiting + _unacknowledged(self.transport) - self.outbox.parts if waiting else 0
        return self.life.look(now, frames, waiting, outstanding)

    def seen_at(self) -> float:
        """When the last sign of life was seen, in seconds of the loop: to the second, or now, if one came since."""
        if self.receiver.pulse != self.life.frames:
            return asyncio.get_running_loop().time()
        return self.life.seen_at


class SignsOfLife:
    """Watches the lines of a server."""

    def __init__(self, limits: ClientLimits) -> None:
        self._limits = limits
        self._lines: set[Line] = set()
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def watch(self, connection: int, receiver: Receiver, outbox: Outbox, transport: Any) -> Iterator[None]:
        """Watch this connection."""
        if transport is None:  # the peer is gone already
            yield
            return
        now, session = asyncio.get_running_loop().time(), cast(Any, receiver.session)
        line = Line(connection, session, receiver, outbox, transport, Life(self._limits, now, receiver.pulse))
        receiver.seen_at = outbox.seen_at = line.seen_at
        self._lines.add(line)
        if not self._timer:
            self._again()
        try:
            yield
        finally:
            self._lines.discard(line)
            receiver.seen_at = outbox.seen_at = _unknown  # else they and the line would keep each other

    def _again(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._limits.look_seconds, self._look)

    def _look(self) -> None:
        """Look at all lines, and again if there are any."""
        self._timer = None
        if self._lines:
            self._again()
        now = asyncio.get_running_loop().time()
        for line in list(self._lines):
            for move in line.look(now):
                self._do(line, move)

    def _do(self, line: Line, move: Move) -> None:
        match move:
            case Move.PING:
                line.outbox.ping()
            case Move.LOST:
                line.session.tell(LostSight(line.connection, line.life.seen_at))
            case Move.BACK:
                line.session.tell(SeenAgain(line.connection))
            case Move.GONE:
                reason = f"nobody was there for {self._limits.gone_seconds:.0f} s"
                line.session.tell(Detached(line.connection, Close(1006, reason), line.life.seen_at))
                self._lines.discard(line)
                line.transport.abort()


def _unknown() -> None:
    """When nobody watches."""


def _unacknowledged(transport: asyncio.WriteTransport) -> int:
    """Bytes that the kernel has sent and nobody acknowledged, and those that it still holds; 0 if it does not tell."""
    try:
        answer = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))  # SIOCOUTQ
    except (OSError, AttributeError):
        return 0
    return int(struct.unpack("i", answer)[0])
