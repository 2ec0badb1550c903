"""One connection, from its first byte: it has so long for each request, and for each answer to be read.

aiohttp itself knows the time between two requests alone. Frames of a call do not pass through here.
"""

import asyncio
from collections.abc import Iterable

from aiohttp import web

from web.brief import shortened
from web.crowd import Visit
from web.patience import Patience

READ_AHEAD = 4096  # bytes of a body before its reader has come: little, for a byte may be a chunk of its own

NO_TEXT = "A header of the request is no text: send it in ASCII.\n"


class Guest(web.RequestHandler):
    """aiohttp's half of a connection, and a clock. A body is read by who wants it, as it came, or not at all."""

    def __init__(self, server: web.Server, visit: Visit, patience: Patience) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # as AppRunner takes it
            keepalive_timeout=patience.idle_seconds,
            auto_decompress=False,  # a body of 58 KB can become 60 MB, in one go
            lingering_time=0,  # what nobody reads is not waited for
            read_bufsize=READ_AHEAD,
        )
        self._visit, self._patience = visit, patience
        self._clock: asyncio.TimerHandle | None = None
        self._busy = False  # with a request: bytes that come now are its body, or the next one, which waits

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Its first request must come."""
        self._give(self._patience.request_seconds)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Gone."""
        self._stop()
        self._visit.end()
        self.__dict__.pop("data_received", None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """The first byte of a request starts the clock."""
        if data and not self._busy and not self._clock:
            self._give(self._patience.request_seconds)
        super().data_received(data)

    def begin(self) -> None:
        """A whole request has come, and is answered."""
        self._stop()
        self._busy = True

    def talk(self) -> None:
        """A call has begun: from here on each frame goes to aiohttp without a step of ours."""
        self._stop()
        if transport := self.transport:
            self.data_received = super().data_received  # type: ignore[method-assign]
            transport.set_protocol(self)  # which remembers the method

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What aiohttp could not repeat of a header, for it is no text, is no crash of ours."""
        if not isinstance(exc, UnicodeEncodeError) or _are_text(request.headers.values()):
            return super().handle_error(request, status, exc, message)
        answer = web.Response(status=400, text=NO_TEXT)
        answer.force_close()
        return answer

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Write an answer, and cut off who does not read it. A refusal is brief: aiohttp repeats whole headers."""
        if not self._busy:  # answered before it was counted (`Expect`): the next takes a connection of its own
            resp.force_close()
        self._give(self._patience.answer_seconds)
        try:
            return await super().finish_response(request, shortened(request.path, resp), start_time)
        finally:
            self._stop()
            self._busy = False

    def _give(self, seconds: float) -> None:
        self._stop()
        self._clock = asyncio.get_running_loop().call_later(seconds, self._cut)

    def _stop(self) -> None:
        if self._clock:
            self._clock.cancel()
            self._clock = None

    def _cut(self) -> None:
        self._clock = None
        if self.transport:
            self.transport.abort()


def _are_text(values: Iterable[str]) -> bool:
    """False where some byte was none: aiohttp keeps it as half a surrogate pair."""
    try:
        "".join(values).encode()
    except UnicodeEncodeError:
        return False
    return True
