"""A connection that asks to go on with a call: its first message says which, and until then it is not admitted.

Who gets another answer than their call begins one with the next message, and not before: their user may have called
from elsewhere since.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import WSMsgType
from aiohttp.http import WSMessageNoDecodeText

from actors.messages.admission import Admitted, Resume
from actors.messages.caller import Close, ResumeAsked
from actors.messages.resuming import NotResumed
from actors.runtime import Ref
from schemas import Refused
from web.frame_queue import FrameQueue
from web.outbox import Outbox, Session
from web.wires import app

SENT_EARLY = "nothing may be sent before `resumed` or `not_resumed`"
LONGEST = 4096  # bytes of the first message
DATA = (WSMsgType.TEXT, WSMsgType.BINARY)
CONTROLS = (WSMsgType.PING, WSMsgType.PONG)
NOTHING_BEGUN = Close(1000, "no call was begun")


class Socket(Protocol):
    """A WebSocket from which the first message is read."""

    @property
    def frames(self) -> FrameQueue:
        """What has come and is not read."""
        ...

    async def receive(self) -> WSMessageNoDecodeText:
        """The next frame."""
        ...

    async def pong(self, message: bytes) -> None:
        """Answer a ping."""
        ...


class Verdict:
    """A Ref of the answer to a Resume."""

    def __init__(self) -> None:
        self.told: asyncio.Future[Admitted | NotResumed] = asyncio.get_running_loop().create_future()

    def tell(self, message: Admitted | NotResumed, /) -> None:
        """The session, or the supervisor, has decided."""
        if not self.told.done():
            self.told.set_result(message)


@dataclass(slots=True)
class Comer:
    """A connection of this user that is not admitted."""

    user: str
    connection: int
    outbox: Outbox
    seconds: float
    """For its first message."""
    address: str = ""
    """The caller's, empty where calls are not limited by address."""
    refusal: Close | None = None
    """Why it may not begin a call: it is closed with this if its first message is none that resumes one."""
    first: WSMessageNoDecodeText | None = field(default=None, init=False)
    """The first frame of the call that begins because none goes on."""

    async def resume(self, socket: Socket, supervisor: Ref[Resume]) -> Session | None:
        """The session that goes on over this connection. If there is none the caller is told so, or is closed."""
        asked = await self._asked(socket)
        if isinstance(asked, Close):
            self.outbox.tell(self.refusal or asked)
            return None
        verdict = Verdict()
        where = (asked.token, asked.attach, asked.received)
        supervisor.tell(Resume(self.user, self.connection, self.outbox, verdict, *where, self.address))
        told = await verdict.told
        self.outbox.tell(told)
        return told.session if isinstance(told, Admitted) else None

    async def begins(self, socket: Socket, seconds: float) -> None:
        """Wait so many seconds for the `first` frame of another call; the connection is closed if none comes."""
        try:
            async with asyncio.timeout(seconds):
                while (frame := await socket.receive()).type in CONTROLS:
                    if frame.type is WSMsgType.PING:
                        await socket.pong(frame.data)
        except TimeoutError:
            self.outbox.tell(Close(4408, f"no call was begun for {seconds:g} s"))
            return
        if frame.type in DATA:
            self.first = frame
        else:
            self.outbox.tell(NOTHING_BEGUN)

    async def _asked(self, socket: Socket) -> ResumeAsked | Close:
        """What the first message asks for, or why the connection is closed."""
        try:
            async with asyncio.timeout(self.seconds):
                while (frame := await socket.receive()).type in CONTROLS:
                    pass
        except TimeoutError:
            return Close(4408, f"no resume came for {self.seconds:g} s")
        if frame.type is not WSMsgType.TEXT or len(frame.data) > LONGEST:
            return Close(4400, "the first message on a connection with ?resume=true is resume")
        try:
            said = app.read(frame.data)
        except Refused as refused:
            return Close(4400, str(refused))
        if not isinstance(said, ResumeAsked):
            return Close(4400, "the first message on a connection with ?resume=true is resume")
        return said if socket.frames.empty else Close(4400, SENT_EARLY)


def asks_to_resume(query: Mapping[str, str]) -> bool:
    """True if the address of a connection says that it goes on with a call."""
    return query.get("resume") == "true"
