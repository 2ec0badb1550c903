"""The admin shore: what is not for callers, on an address of its own, behind a token where others can reach it."""

import hmac
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from web import serving
from web.acceptor import shown_address
from web.client_limits import CLIENT_LIMITS, ClientLimits
from web.connections import Connections
from web.guard import check_host_and_origin
from web.headers import set_headers
from web.metrics import Metrics
from web.request_scheduler import SCHEDULER, RequestScheduler, schedule_requests
from web.throttle import limit_addresses


@dataclass(frozen=True, slots=True)
class AdminShore:
    """The bound socket, and what is asked of who comes there; without a token, it is for this machine alone."""

    listener: socket.socket
    token: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = None
    hosts: Collection[str] = ()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{'https' if self.tls else 'http'}://{shown_address(self.listener)}"


def is_loopback(listener: socket.socket) -> bool:
    """True if only this machine can reach it."""
    return ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


@asynccontextmanager
async def admin_serving(
    shore: AdminShore,
    metrics: Metrics,
    connections: Connections,
    scheduler: RequestScheduler,
    client_limits: ClientLimits = CLIENT_LIMITS,
) -> AsyncIterator[None]:
    """Serve it. Its requests take turns with those of callers: `scheduler` is theirs."""
    guard = check_token(shore.token) if shore.token else check_host_and_origin(shore.hosts, ())
    app = web.Application(middlewares=[limit_addresses(connections), guard, schedule_requests])
    app[SCHEDULER] = scheduler
    app.on_response_prepare.append(set_headers)
    app.add_routes(metrics.routes())
    async with serving(app, shore.listener, connections, shore.tls, client_limits):
        yield


def check_token(token: str) -> Middleware:
    """Refuse with 401 whoever does not send it as `Authorization: Bearer TOKEN`."""
    expected = f"Bearer {token}".encode()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").encode(errors="replace")
        if not hmac.compare_digest(given, expected):
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"}, text="Send the token of ADMIN_TOKEN.\n")
        return await handler(request)

    return check
