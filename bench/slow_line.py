"""A slow network: a TCP proxy on 127.0.0.1 with limited bandwidth and a delay.

Its buffers are small and it reads no faster than its bandwidth, so that excess data waits at the sender.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

PACKET = 1400


@asynccontextmanager
async def slow_line(port: int, bits: int = 600_000, round_trip: float = 0.08) -> AsyncIterator[int]:
    """Run the proxy to `port`; yields its own port. `bits` per second, `round_trip` in seconds."""
    pumps: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far = socket.socket()
        far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        far.setblocking(False)
        await asyncio.get_running_loop().sock_connect(far, ("127.0.0.1", port))
        there, back = await asyncio.open_connection(sock=far, limit=PACKET)
        for source, sink in ((reader, back), (there, writer)):
            pumps.add(asyncio.create_task(_pump(source, sink, bits / 8, round_trip / 2)))

    server = await asyncio.start_server(carry, "127.0.0.1", 0, limit=PACKET)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, rate: float, delay: float) -> None:
    """One direction: a packet takes its length divided by `rate` (bytes per second), then `delay` (seconds)."""
    loop = asyncio.get_running_loop()
    free = loop.time()
    try:
        while packet := await source.read(PACKET):
            free = max(free, loop.time()) + len(packet) / rate
            await asyncio.sleep(free - loop.time())
            loop.call_later(delay, _arrive, sink, packet)
        await asyncio.sleep(delay)
    finally:
        sink.close()


def _arrive(sink: asyncio.StreamWriter, packet: bytes) -> None:
    if not sink.is_closing():
        sink.write(packet)
