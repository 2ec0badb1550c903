"""A network that is lost: a TCP proxy on 127.0.0.1 that cuts, stalls or swallows what goes through it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

READ = 4096


@dataclass
class FragileLine:
    """One caller's way to the server at `port`; `url` is its near end.

    `back_at` is when a connection came through last, on the clock of the loop.
    """

    port: int
    url: str = ""
    back_at: float = 0.0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _pumps: set[asyncio.Task[None]] = field(default_factory=set)
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _swallowing: set[asyncio.StreamWriter] = field(default_factory=set)
    _out: bool = False

    def cut(self, seconds: float) -> None:
        """All connections are reset; for so long none is made."""
        self._outage(seconds)
        for writer in self._writers:
            writer.transport.abort()

    def stall(self, seconds: float) -> None:
        """Nothing goes through for so long; then all of it comes."""
        self._open.clear()
        asyncio.get_running_loop().call_later(seconds, self._open.set)

    def half_open(self, seconds: float) -> None:
        """What is sent on the connections of now never comes, and neither end is told; for so long none is made."""
        self._outage(seconds)
        self._swallowing |= self._writers

    def _outage(self, seconds: float) -> None:
        self._out = True
        asyncio.get_running_loop().call_later(seconds, setattr, self, "_out", False)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection of the caller's."""
        if self._out:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        self.back_at = asyncio.get_running_loop().time()
        for source, sink in ((reader, back), (there, writer)):
            self._writers.add(sink)
            self._pumps.add(asyncio.create_task(self._pump(source, sink)))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(READ):
                await self._open.wait()
                if sink not in self._swallowing:
                    sink.write(data)
        if sink not in self._swallowing:
            sink.close()

    def close(self) -> None:
        """Nothing is carried any more."""
        for writer in self._writers:
            writer.transport.abort()
        for pump in self._pumps:
            pump.cancel()


@asynccontextmanager
async def fragile_line(port: int, kind: type[FragileLine] = FragileLine) -> AsyncIterator[FragileLine]:
    """Run the proxy to `port`."""
    line = kind(port)
    line._open.set()
    server = await asyncio.start_server(line.carry, "127.0.0.1", 0)
    line.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield line
    finally:
        server.close()
        line.close()
        await asyncio.gather(*line._pumps, return_exceptions=True)
