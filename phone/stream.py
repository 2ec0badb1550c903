"""Streaming for `Phone`: a microphone that sends audio in real time, and a player that reports its position."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from phone.phone import Message, Phone
from upstream.facts import BYTES_PER_MS

FRAME_MS = 20
REPORT_SECONDS = 0.5


class Microphone:
    """Sends audio in real time, and silence between utterances, as an open microphone does."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self._pcm = bytearray()
        self._sent = asyncio.Event()

    async def say(self, pcm: bytes) -> None:
        """Speak (PCM16 24 kHz mono), and wait until all of it was sent."""
        self._pcm += pcm
        self._sent.clear()
        await self._sent.wait()

    async def run(self) -> None:
        """Send a frame every 20 ms until cancelled."""
        clock = asyncio.get_running_loop()
        due = clock.time()
        while True:
            frame = bytes(self._pcm[: FRAME_MS * BYTES_PER_MS])
            del self._pcm[: len(frame)]
            if not self._pcm:
                self._sent.set()
            await self._phone.speak(frame.ljust(FRAME_MS * BYTES_PER_MS, b"\0"))
            due += FRAME_MS / 1000
            await asyncio.sleep(due - clock.time())


class Player:
    """Simulates playback in real time, and reports to the server how much of a reply was played."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self._response, self._received, self._plays_until = "", 0.0, 0.0

    def receive(self, message: Message) -> None:
        """Process a message from the server."""
        now = asyncio.get_running_loop().time()
        match message:
            case {"type": "response_started", "response_id": response}:
                self._response, self._received = response, 0.0
            case {"type": "sound", "pcm": pcm}:
                seconds = len(pcm) / BYTES_PER_MS / 1000
                self._received += seconds
                self._plays_until = max(now, self._plays_until) + seconds
            case {"type": "clear"}:
                self._response, self._plays_until = "", now

    @property
    def left(self) -> float:
        """Seconds of audio that were received and are still to be played."""
        return max(0.0, self._plays_until - asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Report twice a second until cancelled."""
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            if self._response:
                ms = max(0, int((self._received - self.left) * 1000))  # the reply before it may still be playing
                await self._phone.say(type="played", response_id=self._response, ms=ms)


@asynccontextmanager
async def streaming(phone: Phone) -> AsyncIterator[tuple[Microphone, Player]]:
    """Run a microphone and a player. The player receives each message before `phone.on_message` does."""
    microphone, player = Microphone(phone), Player(phone)
    on_message = phone.on_message

    def receive(message: Message) -> None:
        player.receive(message)
        on_message(message)

    phone.on_message = receive
    work = [asyncio.create_task(part.run()) for part in (microphone, player)]
    try:
        yield microphone, player
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
