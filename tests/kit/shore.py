"""The caller's shore alone, over real sockets: who is behind it is the test's."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from aiohttp import web

from actors.counters import Figures
from actors.messages.admission import Admitted, Connected, Inquired
from actors.runtime import Ref
from audio import Pool
from personas import Catalogue, Shelf
from tests.kit.four import FOUR
from web import application, runner
from web.metrics import Metrics
from web.rest import Rest
from web.turnstile import TURNSTILE, Turnstile


class Porter:
    """A supervisor who lets everybody in, to what the test has in place of a session."""

    def __init__(self, session: Callable[[Connected], Any]) -> None:
        self._session = session

    def tell(self, message: Connected | Inquired, /) -> None:
        """Let them in."""
        if isinstance(message, Connected):
            message.outbox.tell(Admitted(self._session(message)))


@asynccontextmanager
async def shore(
    supervisor: Ref[Connected | Inquired], catalogue: Catalogue = FOUR, turnstile: Turnstile | None = None
) -> AsyncIterator[str]:
    """Serve; HOST:PORT."""
    rest = Rest(supervisor, Shelf(catalogue), "nobody", _always)
    app = application(rest, supervisor, Metrics(Figures(), cast(Pool, None)))
    app[TURNSTILE] = turnstile or Turnstile()
    serving = runner(app)
    await serving.setup()
    try:
        await web.TCPSite(serving, "127.0.0.1", 0).start()
        yield "{}:{}".format(*serving.addresses[0])
    finally:
        await serving.cleanup()


async def _always() -> bool:
    return True
