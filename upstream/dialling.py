"""websockets' `connect`, with a TLS connection that keeps small buffers.

uvloop reads up to 256 KiB at once from a TLS connection, into a buffer of its own, and OpenSSL's copy of it grows as
much: neither shrinks again. After a burst (a reply comes faster than it plays) a connection kept 150 KB. Here
READ_BYTES are read at once.
"""

import asyncio
import ssl

from websockets.asyncio.client import ClientConnection, connect
from websockets.proxy import get_proxy

READ_BYTES = 8 * 1024


class Connect(connect):
    """The handshake of a WebSocket. Through a proxy, the buffers are those of the loop."""

    async def open_tcp_connection(self) -> ClientConnection:
        """Open the connection; with TLS it is read in pieces. Raises OSError."""
        tls = self.create_connection_kwargs.get("ssl")
        if not (self.ws_uri.secure and isinstance(tls, ssl.SSLContext)) or self._proxied:
            return await super().open_tcp_connection()
        loop, host = asyncio.get_running_loop(), self.ws_uri.host
        plain, _ = await loop.create_connection(asyncio.Protocol, host, self.ws_uri.port)
        connection = self.factory(self.ws_uri)
        transport = await loop.start_tls(plain, connection, tls, server_hostname=host)
        assert transport
        plain.set_protocol(Pieces(plain.get_protocol()))  # type: ignore[arg-type]  # both loops read TLS into buffers
        connection.connection_made(transport)
        return connection

    @property
    def _proxied(self) -> bool:
        return bool(get_proxy(self.ws_uri) if self.proxy is True else self.proxy)


class Pieces(asyncio.BufferedProtocol):
    """Stands between a TCP connection and the loop's TLS, which is given READ_BYTES at most at once."""

    def __init__(self, tls: asyncio.BufferedProtocol) -> None:
        self._tls = tls
        self.buffer_updated = tls.buffer_updated  # type: ignore[method-assign]
        self.eof_received = tls.eof_received  # type: ignore[method-assign]
        self.pause_writing = tls.pause_writing  # type: ignore[method-assign]
        self.resume_writing = tls.resume_writing  # type: ignore[method-assign]

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where to read to."""
        return memoryview(self._tls.get_buffer(READ_BYTES))[:READ_BYTES]

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self._tls.connection_lost(exc)
        del self.buffer_updated, self.eof_received, self.pause_writing, self.resume_writing
