"""A Phone whose call survives its network: it comes back, and no word is lost or heard twice (docs/wire.md)."""

import asyncio
import random
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

import orjson
from websockets.exceptions import ConnectionClosed

from phone.phone import CallEnded, InvalidAddress, Message, NoServer, Phone
from upstream.facts import BYTES_PER_MS

COMES_BACK = (1005, 1006, 1011, 1012, 4413)  # the closes after which a client comes back at once
MOVES = 1012  # the server that has the call gives it away
STAY_AWAY = (1000, 4400, 4401, 4402, 4403, 4409, 4410)  # of an attempt: none after it would fare better
UNKNOWN_NOW = "unavailable"  # of `not_resumed`: where the call is, while its servers cannot ask each other
LATER = (429, 502, 503, 504)  # HTTP, of a proxy: too many connections of the address, or no server at this moment
LARGE, SLOWEST = 65_536, 16_000  # bytes, and a second: a server takes no large frame that comes more slowly
MOST_PATIENT = 30.0  # seconds: who finds out later that their line is dead finds their call over
KEPT_FRAMES = 750  # 15 s of 20 ms: sent, and perhaps not handled; and as many more that were recorded meanwhile
ACK_BYTES = 2000 * BYTES_PER_MS
BACKOFF = (0.05, 2.0)  # seconds: the first wait, and the longest; each is doubled, and spread
FRAGILE: dict[str, float] = {"ping_interval": 2.0, "ping_timeout": 3.0, "close_timeout": 0.5}


@dataclass
class LastingPhone(Phone):
    """As a Phone; while its connection is lost, what is sent waits.

    `resumed` counts how often it came back, `moved` how often to another server; `node` is the one that has the call.

    If the call is over, or cannot be whole, it ends with CallEnded; before that `not_resumed`, and the `summary` of a
    call that has ended, are as any message.
    """

    keepalive: dict[str, Any] = field(default_factory=lambda: dict(FRAGILE))
    resumed: int = 0
    moved: int = 0
    token: str = ""
    node: str = ""
    attach: int = 0
    received: int = 0  # data frames, on this connection
    _acknowledged: int = 0  # bytes of sound since the last receipt
    _sent: deque[str | bytes] = field(default_factory=lambda: deque[str | bytes](maxlen=KEPT_FRAMES))
    _count: int = 0  # frames sent on this connection
    _aside: deque[str | bytes] = field(default_factory=deque)
    _up: bool = True
    _patience: float = 30.0

    async def __aenter__(self) -> Self:
        self.query = {"resumable": "true", **self.query}
        await super().__aenter__()
        return self

    async def choose(self, astrologer_id: str, **audio: str) -> Message:
        """As of a Phone; the call can be resumed."""
        extra = {"audio": audio} if audio else {}
        await self.say(type="config", astrologer_id=astrologer_id, resumable=True, **extra)
        return await self.hear("config_ack")

    async def send(self, frame: str | bytes) -> None:
        """Send one frame, now or when the connection is back. Raises CallEnded."""
        if not self._up:
            self._aside.append(frame)
            return
        try:
            await self._put(frame)
        except ConnectionClosed:
            if not self._may_return():
                raise await self.closed() from None

    async def _put(self, frame: str | bytes) -> None:
        """Send one frame on this connection; a pong may wait behind a large one. Raises ConnectionClosed."""
        self._sent.append(frame)
        self._count += 1
        if len(frame) <= LARGE:
            await self.socket.send(frame)
            return
        seconds = len(frame) / SLOWEST
        if usual := self.keepalive.get("ping_timeout"):
            patient = min(seconds, MOST_PATIENT)
            self.socket.ping_timeout = usual + patient
            asyncio.get_running_loop().call_later(patient, setattr, self.socket, "ping_timeout", usual)
        try:
            async with asyncio.timeout(MOST_PATIENT + seconds):
                await self.socket.send(frame)
        except TimeoutError:  # until all of it is on its way there are no pings by which a dead line is known
            self.socket.transport.abort()

    async def receive(self) -> str | bytes:
        """The next frame, of this connection or of the one after it. Raises CallEnded."""
        while True:
            try:
                await self._catch_up()
                frame = await self.socket.recv()
            except ConnectionClosed:
                if not self._may_return():
                    code, reason = self.socket.close_code or 1006, self.socket.close_reason or ""
                    raise CallEnded(code, reason, self.error) from None
                if self.socket.close_code == MOVES:
                    self.node = ""
                await self.comes_back()
                continue
            self.received += 1
            await self._note(frame)
            return frame

    def _may_return(self) -> bool:
        return bool(self.token) and (self.socket.close_code or 1006) in COMES_BACK

    async def _note(self, frame: str | bytes) -> None:
        """Learn how to come back, and acknowledge sound."""
        if isinstance(frame, bytes):
            self._acknowledged += len(frame)
        elif frame.startswith('{"type":"audio_response"'):
            self._acknowledged = ACK_BYTES
        elif frame.startswith('{"type":"config_ack"') and (offer := orjson.loads(frame).get("resume")):
            self.token, self.attach, self.node = offer["token"], offer["attach"], offer.get("node", "")
        if self.token and self._acknowledged >= ACK_BYTES:
            self._acknowledged = 0
            await self.say(type="ack", received=self.received)

    async def _catch_up(self) -> None:
        """Send what waits, in its order: what is sent meanwhile waits behind it. Raises ConnectionClosed."""
        while self._aside and self.socket.close_code is None:
            await self._put(self._aside.popleft())
        self._up = self._up or self.socket.close_code is None

    async def comes_back(self) -> None:
        """Come back to the call. Raises CallEnded."""
        self._up = False
        told = await self._knock()
        if told["type"] != "resumed":
            self.note(told)
            if "summary" in told:
                self.note({"type": "summary", **told["summary"]})
            code = 1000 if told["code"] == "ended" else 1006
            raise CallEnded(code, f"{told['code']}: {told['message']}", self.error)
        again = list(self._sent)[max(0, len(self._sent) - (self._count - told["received"])) :]
        if self._count == told["received"]:
            again = []
        if "lost_ms" in told:
            if told["lost_ms"]:  # some of the sound may have been heard already
                again = [frame for frame in again if isinstance(frame, str)]
            self.moved, self.node = self.moved + 1, told.get("node", "")
        self._sent.clear()
        self.attach, self.received, self._count, self._acknowledged = told["attach"], 0, 0, 0
        self.resumed += 1
        self._aside.extend((*filter(_is_no_receipt, again), *self._worth_sending(told["uplink_ms"])))
        with suppress(ConnectionClosed):  # the reader finds out
            await self._catch_up()

    def _worth_sending(self, uplink_ms: int) -> list[str | bytes]:
        """What was to be sent while the connection was lost: all messages, and the newest of the sound."""
        left, kept = uplink_ms * BYTES_PER_MS, deque[str | bytes]()
        for frame in reversed(self._aside):
            if isinstance(frame, str):
                if _is_no_receipt(frame):
                    kept.appendleft(frame)
            elif left > 0:
                left -= len(frame)
                kept.appendleft(frame)
        self._aside.clear()
        return list(kept)

    async def _knock(self) -> Message:
        """Connect, and ask for the call, until there is an answer; who is told to wait does so. Raises CallEnded."""
        wait, deadline = BACKOFF[0], asyncio.get_running_loop().time() + self._patience
        while True:
            try:
                async with asyncio.timeout(5.0):
                    told = await self._ask()
                if "retry_after" not in told and told.get("code") != UNKNOWN_NOW:
                    return told
                pause, why = told.get("retry_after", 1) + random.uniform(0.0, BACKOFF[1]), told["message"]
            except CallEnded as refused:
                if refused.code not in LATER:
                    raise
                pause, why = max(1, refused.retry_after) + random.uniform(0.0, BACKOFF[1]), str(refused)
            except (NoServer, InvalidAddress, TimeoutError, ConnectionClosed, OSError) as error:
                closed = error.rcvd if isinstance(error, ConnectionClosed) else None
                if closed and closed.code in STAY_AWAY:
                    raise CallEnded(closed.code, closed.reason, self.error) from None
                if closed and closed.code == MOVES:
                    self.node = ""
                pause, why = wait * random.uniform(0.5, 1.0), str(error)
                wait = min(2 * wait, BACKOFF[1])
            if asyncio.get_running_loop().time() > deadline:
                raise CallEnded(1006, f"it could not be resumed: {why}", self.error)
            await asyncio.sleep(pause)

    async def _ask(self) -> Message:
        """Ask for the call on another connection, which is the one from now on if the call goes on over it."""
        socket = await self.dial({"resume": "true", **({"node": self.node} if self.node else {})})
        told: Message = {}
        try:
            ask = {"type": "resume", "token": self.token, "attach": self.attach, "received": self.received}
            with suppress(ConnectionClosed):  # by a server that has said why before it was asked
                await socket.send(orjson.dumps(ask).decode())
            told = orjson.loads(await socket.recv())
        finally:
            if told.get("type") == "resumed":
                self.socket = socket
            else:
                socket.transport.abort()  # closed in order it would end a call that has come back over it unheard
        return told


def _is_no_receipt(frame: str | bytes) -> bool:
    """True but for an `ack`: that counts the frames of its own connection."""
    return isinstance(frame, bytes) or not frame.startswith('{"type":"ack"')
