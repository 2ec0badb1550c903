"""The caller's side: a WebSocket for each call, the REST API, and a page for browsers."""

import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.typedefs import Middleware

from actors.messages.admission import Connected, Resume
from actors.runtime import Ref
from web import page
from web.acceptor import Acceptor
from web.auth import OPEN, Auth
from web.client_limits import CLIENT_LIMITS, ClientLimits
from web.connections import Connections
from web.cors import allow_origin
from web.endpoint import Endpoint
from web.headers import set_headers
from web.metrics import Metrics
from web.request_scheduler import SCHEDULER, RequestScheduler, schedule_requests
from web.rest import Rest
from web.slashes import ignore_slashes


def application(
    rest: Rest,
    supervisor: Ref[Connected | Resume],
    metrics: Metrics,
    guards: Sequence[Middleware],
    client_limits: ClientLimits = CLIENT_LIMITS,
    auth: Auth = OPEN,
) -> web.Application:
    """The web application; `guards` are the middlewares that may refuse a request, outermost first."""
    app = web.Application(middlewares=[*guards, schedule_requests], client_max_size=64 * 1024)
    app[SCHEDULER] = RequestScheduler()
    app.on_response_prepare.append(allow_origin)
    app.on_response_prepare.append(set_headers)
    app.add_routes([*page.routes(), *rest.routes(), *auth.routes()])
    answer = Endpoint(supervisor, metrics.counters, metrics.waiting, auth.doorman, client_limits).answer
    app.add_routes([web.get(path, answer, allow_head=False) for path in ("/ws-mobile/{user_id}", "/ws/{user_id}")])
    return app


@asynccontextmanager
async def serving(
    app: web.Application,
    listener: socket.socket,
    connections: Connections,
    tls: ssl.SSLContext | None = None,
    client_limits: ClientLimits = CLIENT_LIMITS,
) -> AsyncIterator[str]:
    """Serve the application on a bound socket, which is closed at the end; yields HOST:PORT."""
    runner = web.AppRunner(app, shutdown_timeout=2.0)
    await runner.setup()
    try:
        assert runner.server
        ignore_slashes(runner.server)
        acceptor = Acceptor(listener, runner.server, connections, tls, client_limits)
        acceptor.open()
        try:
            yield acceptor.address
        finally:
            await acceptor.close()
    finally:
        await runner.cleanup()
