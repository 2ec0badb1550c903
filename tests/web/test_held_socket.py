"""An outbox behind a gate that is shut: nothing is written, and what is given away meanwhile never is."""

import asyncio

from aiohttp import WSMsgType

from actors.call.resume.ledger import Ledger
from actors.gate import Gate
from actors.messages.caller import Close, Pong, Sound
from tests.kit.story import run, until
from web.outbox import Outbox


class Socket:
    """It notes what is written."""

    def __init__(self) -> None:
        self.written: list[bytes | int] = []

    async def send_frame(self, message: bytes, opcode: WSMsgType, /) -> None:
        self.written.append(message)

    async def send_part(self, part: bytes, opcode: WSMsgType, /, *, last: bool) -> None:
        self.written.append(part)

    async def close(self, *, code: int, message: bytes) -> bool:
        self.written.append(code)
        return True


class Counted:
    """Counts nothing."""

    lost = False

    def resize(self, size: int) -> bool:
        return True

    def release(self) -> None:
        pass


def test_what_waits_is_written_when_the_gate_is_open() -> None:
    """In its order."""

    async def story() -> None:
        gate, socket = Gate(), Socket()
        outbox = Outbox(socket, None, 1)
        gate.add(outbox)
        writing = asyncio.create_task(outbox.run())
        gate.shut()
        outbox.tell(Pong())
        outbox.tell(Sound("1.1", b"12"))
        for _ in range(5):
            await asyncio.sleep(0)
        assert socket.written == []
        gate.open()
        await until(lambda: len(socket.written) == 2)
        outbox.tell(Close(1000, "over"))
        await writing
        assert socket.written == [b'{"type":"pong"}', b"12", 1000]

    run(story())


def test_what_is_given_away_is_not_written() -> None:
    """Not even the frame that was in hand: only the close is."""

    async def story() -> None:
        gate, socket = Gate(), Socket()
        outbox = Outbox(socket, None, 1)
        gate.add(outbox)
        outbox.keep(Ledger(Counted()))
        writing = asyncio.create_task(outbox.run())
        gate.shut()
        outbox.tell(Sound("1.1", b"12"))
        outbox.tell(Sound("1.1", b"34"))
        for _ in range(5):
            await asyncio.sleep(0)
        outbox.seize()
        outbox.tell(Close(4410, "elsewhere"))
        gate.open()
        await writing
        assert socket.written == [4410]

    run(story())
