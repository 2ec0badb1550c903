"""Who may look: the token of the admin shore, in `Authorization`, or from a browser in the subprotocols of a socket.

A browser can send no header of its own with a WebSocket, and none that is not Latin-1: in its hands the token is in
base64url, `bearer.TOKEN` or `Authorization: Live TOKEN`. It keeps the token in the storage of its tab, so that nothing
is sent by itself: a page of another site has nothing to ride on.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Collection

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from realtime.subprotocols import offered

SUBPROTOCOL = "live.v1"
_BEARER = "bearer."


def may_look(request: web.BaseRequest, token: str) -> bool:
    """True if the request brings the token, or none is asked for. Takes as long whatever it brings."""
    raw = token.encode(errors="surrogateescape")
    packed = urlsafe_b64encode(raw).rstrip(b"=")
    names = [name for name in offered(request.headers.getall("Sec-WebSocket-Protocol", ())) if name.startswith(_BEARER)]
    given = request.headers.get("Authorization", "").encode(errors="replace")
    inner = (names[0] if names else "").encode(errors="replace")
    good = (
        hmac.compare_digest(given, b"Bearer " + raw),
        hmac.compare_digest(given, b"Live " + packed),
        hmac.compare_digest(inner, _BEARER.encode() + packed),
    )
    return any(good) or not token


def check_token(token: str, exempt: Collection[str] = ()) -> Middleware:
    """Refuse with 401 whoever does not bring it; the paths in `exempt` hold nothing that is not published anyway."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in exempt and not may_look(request, token):
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"}, text="Send the token of ADMIN_TOKEN.\n")
        return await handler(request)

    return check


def within(folder: str, check: Middleware) -> Middleware:
    """The same check, of the paths in this folder alone."""

    @web.middleware
    async def maybe(request: web.Request, handler: Handler) -> web.StreamResponse:
        inside = request.path == folder or request.path.startswith(f"{folder}/")
        return await (check(request, handler) if inside else handler(request))

    return maybe
