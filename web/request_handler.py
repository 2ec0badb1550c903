"""aiohttp's protocol for one connection, with timeouts for each request and each response.

aiohttp itself limits only the time between two requests. Frames of a call bypass this class, see `upgraded`.
"""

import asyncio
from collections.abc import Iterable

from aiohttp import web

from web.client_limits import ClientLimits
from web.connections import ConnectionLease
from web.cycles import let_go
from web.error_size import limit_response
from web.headers import UnroutedResponse
from web.remainder import Remainder

READ_AHEAD = 4096  # bytes of a body that are buffered before its handler reads: little, because each may be a chunk

NO_TEXT = "A header of the request is no text: send it in ASCII.\n"


class TimedRequestHandler(web.RequestHandler):
    """Aborts a connection whose request or response takes too long. Bodies are never unpacked, nor read unasked."""

    def __init__(self, server: web.Server, lease: ConnectionLease, client_limits: ClientLimits) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # as AppRunner takes it
            keepalive_timeout=client_limits.idle_seconds,
            auto_decompress=False,  # a body of 58 KB can decompress to 60 MB in one step
            lingering_time=0,  # the rest of an unread body is not waited for
            read_bufsize=READ_AHEAD,
        )
        self._lease, self._client_limits = lease, client_limits
        self._timer: asyncio.TimerHandle | None = None
        self._remainder: Remainder | None = None
        self._busy = False  # with a request: bytes that come now are its body, or the next request, which waits

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the timer of the first request."""
        self._start(self._client_limits.request_seconds)
        self._lease.drop = self._abort
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Release the lease."""
        self._stop()
        self._lease.release()
        self.__dict__.pop("data_received", None)
        if self._remainder:
            self._remainder.gone()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Start the timer at the first byte of a request."""
        if data and not self._busy and not self._timer:
            self._start(self._client_limits.request_seconds)
        super().data_received(data)

    def request_received(self) -> None:
        """A request is complete but for its body, and is being handled."""
        self._stop()
        self._lease.asked()
        self._busy = True

    def upgraded(self) -> None:
        """The connection is a WebSocket: from now on the transport calls aiohttp's `data_received` directly."""
        self._stop()
        if transport := self.transport:
            self.data_received = super().data_received  # type: ignore[method-assign]
            transport.set_protocol(self)  # which caches the bound method

    async def linger(self, code: int) -> None:
        """After a close frame with this code: read what the client is still sending and throw it away, to its end."""
        if self.transport:
            self._remainder = remainder = Remainder(code, self._client_limits)
            self.data_received = remainder.discard  # type: ignore[method-assign]
            self.transport.set_protocol(self)  # which caches the bound method
            self.resume_reading()
            await remainder.end()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer 400 when aiohttp failed to encode a header of the request; else as aiohttp does."""
        if not isinstance(exc, UnicodeEncodeError) or _are_text(request.headers.values()):
            found = super().handle_error(request, status, exc, message)
            text, kind = (found.text, found.content_type) if isinstance(found, web.Response) else (None, None)
            answer = UnroutedResponse(status=found.status, reason=found.reason, text=text, content_type=kind)
        else:
            answer = UnroutedResponse(status=400, text=NO_TEXT)
        answer.force_close()
        return answer

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Write a response within its timeout. Errors are cut to a limit, because aiohttp repeats whole headers."""
        if not self._busy:  # answered before the middleware counted it (`Expect`): close the connection
            resp.force_close()
        self._start(self._client_limits.answer_seconds)
        try:
            return await super().finish_response(request, limit_response(request.path, resp), start_time)
        finally:
            self._stop()
            self._busy = False
            let_go(request, resp)

    def _start(self, seconds: float) -> None:
        self._stop()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._abort)

    def _stop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _abort(self) -> None:
        self._timer = None
        if self.transport:
            self.transport.abort()


def _are_text(values: Iterable[str]) -> bool:
    """False if a value had bytes that are no UTF-8: aiohttp decodes them to lone surrogates."""
    try:
        "".join(values).encode()
    except UnicodeEncodeError:
        return False
    return True
