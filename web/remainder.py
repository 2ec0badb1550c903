"""What a client still sends when it is told that its call is over, often the rest of a large frame.

It is read and thrown away. A socket that is closed with unread bytes is reset by the kernel, and then the client loses
what it was told before: of a close frame it sees nothing but 1006.
"""

import asyncio
import struct
from contextlib import suppress

from web.client_limits import ClientLimits

_LARGEST = 131  # bytes of a close frame: head, mask, and a payload of 125


class Remainder:
    """The bytes that come after a close frame with this code. They end with the client's own close frame, if it can."""

    def __init__(self, code: int, limits: ClientLimits) -> None:
        self._code, self._limits = struct.pack(">H", code), limits
        self._left, self._tail = limits.linger_bytes, b""
        self._came = asyncio.Event()
        self._over = False

    def discard(self, data: bytes) -> None:
        """A segment was received."""
        self._left -= len(data)
        self._tail = (self._tail + data[-_LARGEST:])[-_LARGEST:]
        self._over = self._over or self._left <= 0 or self._ends_with_close()
        self._came.set()

    def gone(self) -> None:
        """The connection is lost."""
        self._over = True
        self._came.set()

    async def end(self) -> None:
        """Wait until the client has closed, says nothing more, or has had its limits."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.linger_seconds):
                while not self._over:
                    self._came.clear()
                    await asyncio.wait_for(self._came.wait(), self._limits.quiet_seconds)

    def _ends_with_close(self) -> bool:
        """True if the last bytes are a close frame with our code, which clients repeat; where frames begin is lost."""
        tail = self._tail
        for size in range(2, min(126, len(tail) - 5)):
            at = len(tail) - size - 6
            if tail[at] == 0x88 and tail[at + 1] == 0x80 | size:
                masked = zip(tail[at + 6 : at + 8], tail[at + 2 : at + 4], strict=True)
                if bytes(byte ^ mask for byte, mask in masked) == self._code:
                    return True
        return False
