"""Where connections come in: who may not stay is closed at once, before TLS and before a byte is read."""

import asyncio
import errno
import logging
import socket
import ssl

from aiohttp import web

from web.crowd import Crowd, Visit
from web.guest import Guest
from web.patience import PATIENCE, Patience

log = logging.getLogger(__name__)

BACKLOG = 1024  # connections that wait in the kernel
AT_ONCE = 16  # then the calls have the loop
REST_SECONDS = 1.0  # when no more can be accepted
TOLD_SECONDS = 5.0  # in which that is told once
RECEIVE_BYTES = (
    64 * 1024
)  # in the kernel, of one connection: whatever fills uvloop's 250 KB is read 32 times in a round
GONE_SECONDS = 2.0  # for the end of TLS
ADVICE = dict.fromkeys((errno.EMFILE, errno.ENFILE), ": raise ulimit -n, or lower --sessions")


class Entrance:
    """A listening socket, which it closes in the end."""

    def __init__(
        self,
        listener: socket.socket,
        server: web.Server,
        crowd: Crowd,
        tls: ssl.SSLContext | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        self._listener, self._server, self._crowd = listener, server, crowd
        self._tls, self._patience = tls, patience
        self._loop = asyncio.get_running_loop()
        self._greetings: set[asyncio.Task[None]] = set()
        self._resting: asyncio.TimerHandle | None = None
        self._told = -TOLD_SECONDS

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return "{}:{}".format(*self._listener.getsockname()[:2])

    def open(self) -> None:
        """Let them come."""
        self._listener.setblocking(False)
        self._listener.setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES
        )  # each connection has it from here
        self._listener.listen(BACKLOG)
        self._loop.add_reader(self._listener, self._accept)

    async def close(self) -> None:
        """Nobody comes any more; those who are in stay."""
        if self._resting:
            self._resting.cancel()
        else:
            self._loop.remove_reader(self._listener)
        self._listener.close()
        for greeting in self._greetings:
            greeting.cancel()
        await asyncio.gather(*self._greetings, return_exceptions=True)
        self._crowd.close()

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                connection, peer = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._rest(error)
                return
            if visit := self._crowd.come(peer[0]):
                greeting = self._loop.create_task(self._greet(connection, visit))
                self._greetings.add(greeting)
                greeting.add_done_callback(self._greetings.discard)
            else:
                connection.close()

    def _rest(self, error: OSError) -> None:
        """The kernel would tell of the same connection again at once, and for ever."""
        if self._loop.time() - self._told >= TOLD_SECONDS:
            self._told = self._loop.time()
            advice = ADVICE.get(error.errno or 0, "")
            log.error("no connection can be accepted (%s)%s", error.strerror, advice)
        self._loop.remove_reader(self._listener)
        self._resting = self._loop.call_later(REST_SECONDS, self._go_on)

    def _go_on(self) -> None:
        self._resting = None
        self._loop.add_reader(self._listener, self._accept)

    async def _greet(self, connection: socket.socket, visit: Visit) -> None:
        """Up to the end of TLS; from then on the guest says when it is gone."""
        seconds = (self._patience.request_seconds, GONE_SECONDS) if self._tls else (None, None)
        came = False
        try:
            connection.setblocking(False)
            await self._loop.connect_accepted_socket(
                lambda: Guest(self._server, visit, self._patience),
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=seconds[0],
                ssl_shutdown_timeout=seconds[1],
            )
            came = True
        except OSError as error:
            log.debug("a connection came to nothing: %r", error)
        finally:
            if not came:
                visit.end()
                connection.close()
