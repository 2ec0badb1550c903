"""The admin shore: what is not for callers, on an address of its own, behind a token where others can reach it."""

import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from web import serving
from web.acceptor import shown_address
from web.client_limits import CLIENT_LIMITS, ClientLimits
from web.connections import Connections
from web.guard import check_host_and_origin
from web.headers import set_headers
from web.live import PATH
from web.live.access import check_token, within
from web.request_scheduler import SCHEDULER, RequestScheduler, schedule_requests
from web.throttle import limit_addresses


class Figures(Protocol):
    """What answers `GET /metrics`."""

    def routes(self) -> list[web.RouteDef]: ...


class Shows(Protocol):
    """What shows the calls: a page, or what a page of several servers asks for. `open_paths` need no token."""

    @property
    def routes(self) -> list[web.RouteDef]: ...
    @property
    def open_paths(self) -> frozenset[str]: ...
    async def close(self, app: web.Application, /) -> None: ...


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
    if listener.family == socket.AF_UNIX:
        return True
    return ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


@asynccontextmanager
async def admin_serving(
    shore: AdminShore,
    metrics: Figures,
    connections: Connections,
    scheduler: RequestScheduler,
    client_limits: ClientLimits = CLIENT_LIMITS,
    view: Shows | None = None,
) -> AsyncIterator[None]:
    """Serve it. Its requests take turns with those of callers: `scheduler` is theirs. Without `view` no call is shown.

    Where there is a token, Host and Origin are checked for the view alone: no browser reads the rest with it.
    """
    strangers = check_host_and_origin(shore.hosts, ())
    guards = [within(PATH, strangers), check_token(shore.token, view.open_paths if view else ())]
    app = web.Application(
        middlewares=[limit_addresses(connections), *(guards if shore.token else [strangers]), schedule_requests]
    )
    app[SCHEDULER] = scheduler
    app.on_response_prepare.append(set_headers)
    app.add_routes(metrics.routes())
    if view:
        app.add_routes(view.routes)
        app.on_shutdown.append(view.close)
    async with serving(app, shore.listener, connections, shore.tls, client_limits):
        yield
