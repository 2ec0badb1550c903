"""Who may talk to this server at all: no web page of another site, and no name that somebody else pointed here.

A browser lets any page open a WebSocket to any address, so without this a page could spend the owner's key.
"""

from collections.abc import Collection

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from schemas.explain import shown
from web.names import PORTS, host_to_allow, is_address, origin_at, origin_to_allow, read_host, read_origin


def refuse_strangers(hosts: Collection[str], origins: Collection[str]) -> Middleware:
    """Refuse with 403 what comes by a foreign `Host`, or from a page of a foreign `Origin`.

    Raises ValueError if one of these can be no host, or no origin.
    """
    names, pages = {*map(host_to_allow, hosts)}, {*map(origin_to_allow, origins)}

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        host, page = request.headers.get("Host", ""), request.headers.get("Origin")
        if not _known_host(host, names):
            raise web.HTTPForbidden(
                text=f"The host name {shown(host)!r} is not served here: start with --allow-host NAME.\n"
            )
        if page is not None and not _known_page(page, host, pages):
            raise web.HTTPForbidden(text=f"Pages of {shown(page)!r} may not call: start with --allow-origin ORIGIN.\n")
        return await handler(request)

    return check


def _known_host(host: str, allowed: Collection[str]) -> bool:
    try:
        name, _ = read_host(host)
    except ValueError:
        return False
    return name == "localhost" or name in allowed or is_address(name)


def _known_page(page: str, host: str, allowed: Collection[str]) -> bool:
    """It may call, or came from this very server: by the same name and port."""
    try:
        origin, here = read_origin(page), read_host(host)
    except ValueError:
        return False
    return origin in allowed or origin in (origin_at(scheme, *here) for scheme in PORTS)
