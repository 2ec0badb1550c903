"""Cross-origin requests (CORS): what browsers ask of the REST API on behalf of pages of other origins.

Which origins may call is decided before, see guard.py; all others get nothing of this.
"""

import re

from aiohttp import web
from aiohttp.typedefs import Handler

ORIGIN = web.RequestKey("the origin that may call", str)
"""The `Origin` as the browser wrote it; empty if there is none, and absent where pages of no other origin may call."""

EXPOSED = "ETag, Retry-After"
METHODS = "GET, HEAD, POST"
HEADERS = "Content-Type, If-None-Match"
PREFLIGHT_SECONDS = 600  # for which a browser need not ask again

_ASKED = re.compile(r"[A-Za-z0-9_-]{1,64}(\s*,\s*[A-Za-z0-9_-]{1,64}){0,40}")


@web.middleware
async def answer_preflights(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a browser that asks whether it may send what a page wants to send."""
    if request.method == "OPTIONS" and request.get(ORIGIN) and "Access-Control-Request-Method" in request.headers:
        return _preflight(request)
    return await handler(request)


def _preflight(request: web.Request) -> web.Response:
    """The answer: all methods of this server, and the headers that are asked for."""
    asked = request.headers.get("Access-Control-Request-Headers", "").strip()
    answer = web.Response(status=204)
    answer.headers["Access-Control-Allow-Methods"] = METHODS
    answer.headers["Access-Control-Allow-Headers"] = asked if _ASKED.fullmatch(asked) else HEADERS
    answer.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    if request.headers.get("Access-Control-Request-Private-Network") == "true":
        answer.headers["Access-Control-Allow-Private-Network"] = "true"
    return answer


async def allow_origin(request: web.Request, answer: web.StreamResponse) -> None:
    """Let the browser show the page this answer, an error too. A signal handler: it runs before each response."""
    origin = request.get(ORIGIN)
    if origin is None or answer.status == 101:
        return
    answer.headers["Vary"] = "Origin"
    if origin:
        answer.headers["Access-Control-Allow-Origin"] = origin
        answer.headers["Access-Control-Expose-Headers"] = EXPOSED
