"""Middleware that limits the calls and requests of each address."""

import json
from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from web.addresses import ADDRESS
from web.connections import MESSAGE_RATE, RETRY_SECONDS, Connections
from web.request_handler import TimedRequestHandler
from web.resuming import asks_to_resume

MAY_CALL = web.RequestKey("may call", partial)
"""Counts one more call of the address: of a connection that resumes none. Absent where the call was counted."""

CALL_WAIT = web.RequestKey("call wait", partial)
"""The seconds after which one more call of the address is allowed; comes with MAY_CALL."""

MAY_RESUME = web.RequestKey("may resume", partial)
"""Counts one more attempt of the address to resume a call. Absent where it has no limit."""

CALLS = ("/ws/", "/ws-mobile/")
TOO_MANY_CALLS = "Too many calls begin at your address at once: wait a few seconds, then call once."
TOO_MANY_REQUESTS = "Too many questions come from your address at once: wait a few seconds, then ask more slowly."
TOO_MANY_CONNECTIONS = "Too many connections of your address are open: end some of them, then try again."


def limit_addresses(connections: Connections) -> Middleware:
    """Refuse with 429 what exceeds the limits of an address. Sets `ADDRESS` and `MESSAGE_RATE` of the request."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if isinstance(request.protocol, TimedRequestHandler):
            request.protocol.request_received()
        peer, headers = request.remote or "", request.headers
        forwarded_for, forwarded = headers.getall("X-Forwarded-For", []), headers.getall("Forwarded", [])
        request[ADDRESS] = address = connections.addresses.of_request(peer, forwarded_for, forwarded)
        if not address:
            return await handler(request)
        proxied = connections.addresses.trusts(peer)
        if request.path.startswith(CALLS):
            if asks_to_resume(request.query):
                request[MAY_CALL] = partial(connections.may_call, address)
                request[CALL_WAIT] = partial(connections.call_wait, address)
                request[MAY_RESUME] = partial(connections.may_resume, address)
            elif not connections.may_call(address):
                raise _too_many(TOO_MANY_CALLS, proxied, connections.call_wait(address))
            request[MESSAGE_RATE] = connections.message_rate(address)
        elif not connections.may_request(address):
            raise _too_many(TOO_MANY_REQUESTS, proxied)
        if not proxied:
            return await handler(request)
        with connections.proxied(address) as admitted:
            if not admitted:
                raise _too_many(TOO_MANY_CONNECTIONS, proxied)
            return await handler(request)

    return check


def _too_many(text: str, proxied: bool, seconds: int = RETRY_SECONDS) -> web.HTTPTooManyRequests:
    """A 429 that also closes the connection, unless that is a proxy's: it carries requests of other addresses."""
    answer = web.HTTPTooManyRequests(
        text=json.dumps({"code": "busy", "message": text}),
        content_type="application/json",
        headers={"Retry-After": str(seconds)},
    )
    if not proxied:
        answer.force_close()
    return answer
