"""Checks the `Host` and `Origin` of each request, against pages of other sites and DNS rebinding.

A browser lets any page open a WebSocket to any address, so without this a page could spend the owner's key.
"""

from collections.abc import Collection

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from schemas.explain import shown
from web.cors import ORIGIN
from web.hostnames import PORTS, host_to_allow, is_address, origin_at, origin_to_allow, read_host, read_native_origin
from web.refused_handshakes import REASON, Reason

MOST_LOGGED = 100  # characters of a host or an origin


def check_host_and_origin(hosts: Collection[str], origins: Collection[str]) -> Middleware:
    """Refuse with 403 a foreign `Host` or `Origin`: all but localhost, IP addresses, this server, and those given here.

    Raises ValueError for an invalid host or origin in `hosts` or `origins`.
    """
    names, pages = {*map(host_to_allow, hosts)}, {*map(origin_to_allow, origins)}

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        host, page = request.headers.get("Host", ""), request.headers.get("Origin")
        if not _host_allowed(host, names):
            request[REASON] = _foreign_host(host)
            raise web.HTTPForbidden(
                text=f"The host name {shown(host)!r} is not served here: start with --allow-host NAME.\n"
            )
        if page and not request.get(ORIGIN) and not _origin_allowed(page, host, pages):
            request[REASON] = _foreign_origin(page)
            raise web.HTTPForbidden(text=f"Pages of {shown(page)!r} may not call: start with --allow-origin ORIGIN.\n")
        return await handler(request)

    return check


def stranger(host: str, page: str | None) -> bool:
    """True for a foreign `Host`, or a page's `Origin` that is not the server's own; for servers without settings."""
    return not _host_allowed(host, ()) or (bool(page) and not _origin_allowed(page or "", host, ()))


def mark_origin(hosts: Collection[str], origins: Collection[str]) -> Middleware:
    """Set `ORIGIN` of each request that `check_host_and_origin` lets in, before anything is refused: see cors.py."""
    names, pages = {*map(host_to_allow, hosts)}, {*map(origin_to_allow, origins)}

    @web.middleware
    async def mark(request: web.Request, handler: Handler) -> web.StreamResponse:
        host, page = request.headers.get("Host", ""), request.headers.get("Origin")
        if page and _host_allowed(host, names) and _origin_allowed(page, host, pages):
            request[ORIGIN] = page
        elif pages and not page:
            request[ORIGIN] = ""
        return await handler(request)

    return mark


def _foreign_host(host: str) -> Reason:
    """For the log: the name as it was read, and never what is no name."""
    try:
        return Reason("host", f"to serve that name, start with --allow-host {read_host(host)[0][:MOST_LOGGED]}")
    except ValueError:
        return Reason("host", "its Host is no host name")


def _foreign_origin(page: str) -> Reason:
    """For the log: the origin as it was read, and never what is none."""
    try:
        return Reason(
            "origin", f"to let those pages call, start with --allow-origin {_origins(page).pop()[:MOST_LOGGED]}"
        )
    except ValueError:
        return Reason("origin", "its Origin is none")


def _host_allowed(host: str, allowed: Collection[str]) -> bool:
    try:
        name, _ = read_host(host)
    except ValueError:
        return False
    return name == "localhost" or name in allowed or is_address(name)


def _origin_allowed(page: str, host: str, allowed: Collection[str]) -> bool:
    """True if the origin is in the list, or is the one by which this server was called.

    Some proxies drop the port of the `Host`: then the names alone are compared.
    """
    try:
        name, port = read_host(host)
        origins = _origins(page)
    except ValueError:
        return False
    own = {origin_at(scheme, name, port) for scheme in PORTS}
    if port is None and not {*map(_portless, origins)}.isdisjoint(map(_portless, own)):
        return True
    return not origins.isdisjoint({*own, *allowed})


def _origins(page: str) -> set[str]:
    """What an `Origin` stands for: without a scheme, as no browser writes it, for both schemes. Raises ValueError."""
    if "://" in page or page == "null":
        return {read_native_origin(page)}
    return {origin_at(scheme, *read_host(page)) for scheme in PORTS}


def _portless(origin: str) -> str:
    return origin.rpartition(":")[0]
