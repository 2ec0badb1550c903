"""The streamed half of `call`: a microphone that never stops, and a player that says how far it is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from phone.phone import Message, Phone
from upstream.facts import BYTES_PER_MS

FRAME_MS = 20
REPORT_SECONDS = 0.5


class Microphone:
    """Sends what is said in real time, and silence in between, as a phone that is held to an ear does."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self._pcm = bytearray()
        self._said = asyncio.Event()

    async def say(self, pcm: bytes) -> None:
        """Say it, to its end."""
        self._pcm += pcm
        self._said.clear()
        await self._said.wait()

    async def run(self) -> None:
        """Send a frame every 20 ms until cancelled."""
        clock = asyncio.get_running_loop()
        due = clock.time()
        while True:
            frame = bytes(self._pcm[: FRAME_MS * BYTES_PER_MS])
            del self._pcm[: len(frame)]
            if not self._pcm:
                self._said.set()
            await self._phone.speak(frame.ljust(FRAME_MS * BYTES_PER_MS, b"\0"))
            due += FRAME_MS / 1000
            await asyncio.sleep(due - clock.time())


class Player:
    """Plays what comes in order and in real time, and reports how much of a reply was played."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self._response, self._got, self._until = "", 0.0, 0.0

    def hear(self, message: Message) -> None:
        """Something came from the server."""
        now = asyncio.get_running_loop().time()
        match message:
            case {"type": "response_started", "response_id": response}:
                self._response, self._got = response, 0.0
            case {"type": "sound", "pcm": pcm}:
                seconds = len(pcm) / BYTES_PER_MS / 1000
                self._got += seconds
                self._until = max(now, self._until) + seconds
            case {"type": "clear"}:
                self._response, self._until = "", now

    @property
    def left(self) -> float:
        """Seconds that are still to be played."""
        return max(0.0, self._until - asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Report twice a second until cancelled."""
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            if self._response:
                ms = max(0, int((self._got - self.left) * 1000))  # what came before it may still be playing
                await self._phone.say(type="played", response_id=self._response, ms=ms)


@asynccontextmanager
async def streaming(phone: Phone) -> AsyncIterator[tuple[Microphone, Player]]:
    """A microphone and a player at work; `phone.on_message` is heard by the player as well."""
    microphone, player = Microphone(phone), Player(phone)
    told = phone.on_message

    def hear(message: Message) -> None:
        player.hear(message)
        told(message)

    phone.on_message = hear
    work = [asyncio.create_task(part.run()) for part in (microphone, player)]
    try:
        yield microphone, player
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
