"""The caller's shore: a WebSocket for each call, the REST catalogue, and a page to try them."""

import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.typedefs import Middleware

from actors.messages.admission import Connected
from actors.runtime import Ref
from web import page
from web.crowd import Crowd
from web.endpoint import Endpoint
from web.entrance import Entrance
from web.metrics import Metrics
from web.patience import PATIENCE, Patience
from web.rest import Rest
from web.turnstile import TURNSTILE, Turnstile, questions_take_turns


def application(
    rest: Rest,
    supervisor: Ref[Connected],
    metrics: Metrics,
    guards: Sequence[Middleware],
    patience: Patience = PATIENCE,
) -> web.Application:
    """The web application; the `guards` say who may ask, the first of them first."""
    app = web.Application(middlewares=[*guards, questions_take_turns], client_max_size=64 * 1024)
    app[TURNSTILE] = Turnstile()
    app.add_routes([*page.routes(), *rest.routes(), *metrics.routes()])
    answer = Endpoint(supervisor, metrics.counters, metrics.waiting, patience).answer
    app.add_routes([web.get(path, answer, allow_head=False) for path in ("/ws-mobile/{user_id}", "/ws/{user_id}")])
    return app


@asynccontextmanager
async def serving(
    app: web.Application,
    listener: socket.socket,
    crowd: Crowd,
    tls: ssl.SSLContext | None = None,
    patience: Patience = PATIENCE,
) -> AsyncIterator[str]:
    """Serve the application to all who come to a socket that is bound; HOST:PORT. The socket is closed in the end."""
    runner = web.AppRunner(app, shutdown_timeout=2.0)
    await runner.setup()
    try:
        assert runner.server
        entrance = Entrance(listener, runner.server, crowd, tls, patience)
        entrance.open()
        try:
            yield entrance.address
        finally:
            await entrance.close()
    finally:
        await runner.cleanup()
