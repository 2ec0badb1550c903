"""A slow line: a TCP proxy on 127.0.0.1 that lets through so many bytes a second, and delays them.

It reads no more than the line can carry, with small buffers, so that what is sent too early waits at the sender.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

PACKET = 1400


@asynccontextmanager
async def line(port: int, bits: int = 600_000, round_trip: float = 0.08) -> AsyncIterator[int]:
    """A line to `port`, as the number of another port."""
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
    """One direction: a packet is on the line for its length, then under way for `delay`."""
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
