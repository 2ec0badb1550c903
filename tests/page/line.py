"""What a page is held against: a line that the test cuts, and the same call without a page."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from audio import SYNTHETIC
from bench.fragile_line import READ, FragileLine, fragile_line
from phone import Phone
from tests.kit.process import Server
from tests.kit.story import WITHIN

HEAD = 44  # bytes before the sound of a WAV file


class Line:
    """A way to the server, in a thread of its own; `address` is its near end."""

    def __init__(self, line: FragileLine, loop: asyncio.AbstractEventLoop) -> None:
        self._line, self._loop = line, loop
        self.address = line.url.removeprefix("ws://")

    def cut(self, seconds: float) -> None:
        """All connections are reset; for so long none is made."""
        self._loop.call_soon_threadsafe(self._line.cut, seconds)


def losing(path: str, seconds: float) -> type[FragileLine]:
    """A line that closes the connection on which this path is asked for: from the first time on, for so long."""

    class LosingLine(FragileLine):
        until: float | None = None

        async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError):
                while data := await source.read(READ):
                    if f"GET {path}".encode() in data and self._loses():
                        break
                    sink.write(data)
            sink.close()

        def _loses(self) -> bool:
            now = asyncio.get_running_loop().time()
            self.until = self.until or now + seconds
            return now < self.until

    return LosingLine


@contextmanager
def line(running: Server, kind: type[FragileLine] = FragileLine) -> Iterator[Line]:
    """Open one, and see that it ends."""
    opened, over = threading.Event(), threading.Event()
    lines: list[Line] = []

    async def carry() -> None:
        async with fragile_line(int(running.address.rpartition(":")[2]), kind) as fragile:
            lines.append(Line(fragile, asyncio.get_running_loop()))
            opened.set()
            await asyncio.to_thread(over.wait)

    with ThreadPoolExecutor(1) as pool:
        carried = pool.submit(asyncio.run, carry())
        try:
            assert opened.wait(WITHIN)
            yield lines[0]
        finally:
            over.set()
            carried.result(WITHIN)


def released(running: Server, astrologer_id: str, question: str) -> bytes:
    """What the server says to this question, when its greeting was heard, over a line that holds."""

    async def call() -> bytes:
        async with Phone(running.url, f"reference-{astrologer_id}", {"mode": "stream"}) as phone:
            await phone.choose(astrologer_id, mode="stream")
            greeting = await phone.reply()
            await phone.say(type="played", response_id=greeting.response_id, ms=round(greeting.plays * 1000) + 1)
            await phone.say(type="text", text=question)
            return (await phone.reply()).wav[HEAD : -len(SYNTHETIC)]

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, call()).result(3 * WITHIN)
