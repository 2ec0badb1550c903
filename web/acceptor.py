"""Accepts connections; one that may not stay is closed at once, before TLS and before a byte is read."""

import asyncio
import errno
import logging
import socket
import ssl

from aiohttp import web

from web.client_limits import CLIENT_LIMITS, ClientLimits
from web.connections import ConnectionLease, Connections
from web.request_handler import TimedRequestHandler

log = logging.getLogger(__name__)

BACKLOG = 1024  # connections in the kernel's accept queue
AT_ONCE = 16  # accepted in one turn of the loop
PAUSE_SECONDS = 1.0  # after an error of accept()
LOG_SECONDS = 5.0  # between two log lines about such errors
RECEIVE_BYTES = 64 * 1024  # of SO_RCVBUF: uvloop reads a full buffer of 250 KB, 32 times in one turn of the loop
CLOSE_SECONDS = 2.0  # for the TLS shutdown
ADVICE = dict.fromkeys((errno.EMFILE, errno.ENFILE), ": raise ulimit -n, or lower --sessions")


class Acceptor:
    """A listening socket, which `close` closes, and the TLS handshakes that are under way."""

    def __init__(
        self,
        listener: socket.socket,
        server: web.Server,
        connections: Connections,
        tls: ssl.SSLContext | None = None,
        client_limits: ClientLimits = CLIENT_LIMITS,
    ) -> None:
        self._listener, self._server, self._connections = listener, server, connections
        self._tls, self._client_limits = tls, client_limits
        self._loop = asyncio.get_running_loop()
        self._handshakes: set[asyncio.Task[None]] = set()
        self._paused: asyncio.TimerHandle | None = None
        self._logged = -LOG_SECONDS

    @property
    def address(self) -> str:
        """HOST:PORT, with an IPv6 address in brackets; of a unix socket its path."""
        return shown_address(self._listener)

    def open(self) -> None:
        """Listen, and accept from now on."""
        self._listener.setblocking(False)
        # Accepted sockets inherit the size of the receive buffer.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        self._listener.listen(BACKLOG)
        self._loop.add_reader(self._listener, self._accept)

    async def close(self) -> None:
        """Stop listening and cancel the handshakes; connections that are open stay open."""
        if self._paused:
            self._paused.cancel()
        else:
            self._loop.remove_reader(self._listener)
        self._listener.close()
        for handshake in self._handshakes:
            handshake.cancel()
        await asyncio.gather(*self._handshakes, return_exceptions=True)
        self._connections.close()

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                connection, peer = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._pause(error)
                return
            if lease := self._connections.admit(peer[0] if peer else ""):
                handshake = self._loop.create_task(self._connect(connection, lease))
                self._handshakes.add(handshake)
                lease.drop = handshake.cancel
                handshake.add_done_callback(self._handshakes.discard)
            else:
                connection.close()

    def _pause(self, error: OSError) -> None:
        """Accept nothing for PAUSE_SECONDS: the socket stays readable, so the loop would spin on the same error."""
        if self._loop.time() - self._logged >= LOG_SECONDS:
            self._logged = self._loop.time()
            advice = ADVICE.get(error.errno or 0, "")
            log.error("no connection can be accepted (%s)%s", error.strerror, advice)
        self._loop.remove_reader(self._listener)
        self._paused = self._loop.call_later(PAUSE_SECONDS, self._resume)

    def _resume(self) -> None:
        self._paused = None
        self._loop.add_reader(self._listener, self._accept)

    async def _connect(self, connection: socket.socket, lease: ConnectionLease) -> None:
        """Finish the TLS handshake and start the HTTP protocol, which releases the lease when the connection ends."""
        seconds = (self._client_limits.request_seconds, CLOSE_SECONDS) if self._tls else (None, None)
        connected = False
        try:
            connection.setblocking(False)
            await self._loop.connect_accepted_socket(
                lambda: TimedRequestHandler(self._server, lease, self._client_limits),
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=seconds[0],
                ssl_shutdown_timeout=seconds[1],
            )
            connected = True
        except OSError as error:
            log.debug("a connection came to nothing: %r", error)
        finally:
            if not connected:
                lease.release()
                connection.close()


def shown_address(listener: socket.socket) -> str:
    """HOST:PORT of a bound socket, as it is written in a URL; of a unix socket its path."""
    if listener.family == socket.AF_UNIX:
        return str(listener.getsockname())
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
