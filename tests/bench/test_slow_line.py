"""The simulated slow network has the bandwidth and the delay that were requested."""

import asyncio
import time

from bench.slow_line import slow_line
from tests.kit.story import run


def test_a_line_delays_and_throttles() -> None:
    """There and back takes its round trip at least; 6,000 bytes at 600 kbit/s take 80 ms more."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(1))
        writer.write(bytes(await reader.readexactly(1)) * 6000)
        await writer.drain()
        writer.close()

    async def story() -> tuple[float, float]:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        async with slow_line(server.sockets[0].getsockname()[1]) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            times = []
            for size in (1, 6000):
                began = time.monotonic()
                writer.write(b"x")
                await reader.readexactly(size)
                times.append(time.monotonic() - began)
            writer.close()
        server.close()
        return times[0], times[1]

    first, second = run(story())
    assert first >= 0.08
    assert second >= 0.155
