"""Who may talk to this server at all: no web page of another site, and no name that somebody else pointed here.

A browser lets any page open a WebSocket to any address, so without this a page could spend the owner's key.
"""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware


def refuse_strangers(hosts: Collection[str], origins: Collection[str]) -> Middleware:
    """Refuse with 403 what comes by a foreign `Host`, or from a page of a foreign `Origin`."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
        if not _known_host(host, hosts):
            raise web.HTTPForbidden(text=f"The host name {host!r} is not served here: start with --allow-host NAME.\n")
        if origin is not None and not _same_site(origin, host) and origin not in origins:
            raise web.HTTPForbidden(text=f"Pages of {origin!r} may not call: start with --allow-origin ORIGIN.\n")
        return await handler(request)

    return check


def _known_host(host: str, allowed: Collection[str]) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name == "localhost" or name in allowed:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _same_site(origin: str, host: str) -> bool:
    """The page came from this very server: same name, same port."""
    try:
        page, here = urlsplit(origin), urlsplit(f"//{host}")
        ports = (page.port, here.port)
    except ValueError:
        return False
    default = {"http": 80, "https": 443}.get(page.scheme)
    same_port = default is not None and (ports[0] or default) == (ports[1] or default)
    return same_port and page.hostname == here.hostname
