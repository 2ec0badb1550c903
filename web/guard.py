"""Checks the `Host` and `Origin` of each request, against pages of other sites and DNS rebinding.

A browser lets any page open a WebSocket to any address, so without this a page could spend the owner's key.
"""

from collections.abc import Collection

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from schemas.explain import shown
from web.hostnames import PORTS, host_to_allow, is_address, origin_at, origin_to_allow, read_host, read_origin


def check_host_and_origin(hosts: Collection[str], origins: Collection[str]) -> Middleware:
    """Refuse with 403 a foreign `Host` or `Origin`: all but localhost, IP addresses, this server, and those given here.

    Raises ValueError for an invalid host or origin in `hosts` or `origins`.
    """
    names, pages = {*map(host_to_allow, hosts)}, {*map(origin_to_allow, origins)}

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        host, page = request.headers.get("Host", ""), request.headers.get("Origin")
        if not _host_allowed(host, names):
            raise web.HTTPForbidden(
                text=f"The host name {shown(host)!r} is not served here: start with --allow-host NAME.\n"
            )
        if page is not None and not _origin_allowed(page, host, pages):
            raise web.HTTPForbidden(text=f"Pages of {shown(page)!r} may not call: start with --allow-origin ORIGIN.\n")
        return await handler(request)

    return check


def _host_allowed(host: str, allowed: Collection[str]) -> bool:
    try:
        name, _ = read_host(host)
    except ValueError:
        return False
    return name == "localhost" or name in allowed or is_address(name)


def _origin_allowed(page: str, host: str, allowed: Collection[str]) -> bool:
    """True if the origin is in the list, or is the one by which this server was called."""
    try:
        origin, here = read_origin(page), read_host(host)
    except ValueError:
        return False
    return origin in allowed or origin in (origin_at(scheme, *here) for scheme in PORTS)
