"""Takes the body of an HTTP request out of what a connection receives, because websockets refuses requests with one."""

import re

END_OF_HEAD = b"\r\n\r\n"
LARGEST_HEAD = 2**16  # bytes; websockets refuses fewer
LARGEST_BODY = 2**16
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,5})[ \t]*(?=\r\n)", re.IGNORECASE)


class RequestBody:
    """The body of the one request of a connection, kept in `body`; everything else is passed on.

    A request whose body is too large, or chunked, is passed on as it is: websockets answers it with an error.
    """

    def __init__(self) -> None:
        self.body = b""
        self._held: bytes | None = b""

    def receive(self, data: bytes) -> bytes:
        """Some more bytes of the connection; returns those to pass on."""
        if self._held is None:
            return data
        self._held += data
        head, end, rest = self._held.partition(END_OF_HEAD)
        if not end:
            return self._release(self._held) if len(self._held) > LARGEST_HEAD else b""
        found = LENGTH.search(head + b"\r\n")
        length = int(found[1]) if found else 0
        if found is None or not 0 < length <= LARGEST_BODY:
            return self._release(self._held)
        if len(rest) < length:
            return b""
        self.body = rest[:length]
        return self._release(head[: found.start()] + head[found.end() :] + end)

    def _release(self, passed: bytes) -> bytes:
        self._held = None
        return passed
