"""The caller's shore alone, over real sockets: who is behind it is the test's."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from actors.counters import Counters
from actors.messages.admission import Admitted, Connected, Inquired
from actors.runtime import Ref
from actors.services import Limits
from audio import Pool
from cli.listening import bind
from personas import Catalogue, CurrentCatalogue
from tests.kit.four import FOUR
from web import application, serving
from web.addresses import Addresses
from web.auth import OPEN, Auth
from web.client_limits import CLIENT_LIMITS, ClientLimits
from web.connections import UNLIMITED, Connections
from web.guard import check_host_and_origin
from web.metrics import Metrics
from web.request_scheduler import SCHEDULER, RequestScheduler
from web.rest import Rest
from web.throttle import limit_addresses


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
    supervisor: Ref[Any],
    catalogue: Catalogue = FOUR,
    scheduler: RequestScheduler | None = None,
    *,
    limits: Limits | None = None,
    addresses: Addresses | None = None,
    tls: ssl.SSLContext | None = None,
    client_limits: ClientLimits = CLIENT_LIMITS,
    counters: Counters | None = None,
    most: int = UNLIMITED,
    auth: Auth = OPEN,
) -> AsyncIterator[str]:
    """Serve; HOST:PORT."""
    rest = Rest(supervisor, CurrentCatalogue(catalogue), "nobody", _always)
    counters = counters or Counters()
    connections = Connections(limits or Limits(), counters.address_refused, addresses, most)
    app = application(
        rest,
        supervisor,
        Metrics(counters, Pool()),
        [limit_addresses(connections), check_host_and_origin((), ())],
        client_limits,
        auth,
    )
    app[SCHEDULER] = scheduler or RequestScheduler()
    async with serving(app, bind("127.0.0.1", 0), connections, tls, client_limits) as address:
        yield address


async def _always() -> bool:
    return True
