"""Each address has its share: of calls that begin, and of questions, whoever else asks."""

import json

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from web.addresses import ADDRESS
from web.crowd import PACE, Crowd
from web.guest import Guest

CALLS = ("/ws/", "/ws-mobile/")
CALLS_AT_ONCE = "Too many calls begin at your address at once: wait a few seconds, then call once."
QUESTIONS_AT_ONCE = "Too many questions come from your address at once: wait a few seconds, then ask more slowly."
OPEN_AT_ONCE = "Too many connections of your address are open: end some of them, then try again."
WAIT_SECONDS = 2  # a share is whole again after so long


def each_their_share(crowd: Crowd) -> Middleware:
    """Refuse with 429 what is too much of one address. Handlers find the address as `ADDRESS`."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        guest = request.protocol
        if isinstance(guest, Guest):
            guest.begin()
        peer, headers = request.remote or "", request.headers
        forwarded_for, forwarded = headers.getall("X-Forwarded-For", []), headers.getall("Forwarded", [])
        request[ADDRESS] = address = crowd.addresses.of_request(peer, forwarded_for, forwarded)
        if not address:
            return await handler(request)
        behind = crowd.addresses.trusts(peer)
        if request.path.startswith(CALLS):
            if not crowd.call(address):
                raise _too_many(CALLS_AT_ONCE, behind)
            request[PACE] = crowd.pace(address)
        elif not crowd.ask(address):
            raise _too_many(QUESTIONS_AT_ONCE, behind)
        if not behind:
            return await handler(request)
        with crowd.behind(address) as may_come:
            if not may_come:
                raise _too_many(OPEN_AT_ONCE, behind)
            return await handler(request)

    return check


def _too_many(text: str, behind: bool) -> web.HTTPTooManyRequests:
    """Also ends the connection, unless it is a proxy's, which has others behind it."""
    answer = web.HTTPTooManyRequests(
        text=json.dumps({"code": "busy", "message": text}),
        content_type="application/json",
        headers={"Retry-After": str(WAIT_SECONDS)},
    )
    if not behind:
        answer.force_close()
    return answer
