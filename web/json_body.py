"""The body of a request, as JSON."""

import asyncio
from typing import Any

import orjson
from aiohttp import web

from schemas.decoding import loads
from web.request_scheduler import SCHEDULER

ENCODED = "Send the body as it is, without a Content-Encoding."
MALFORMED = (
    orjson.JSONDecodeError, TypeError, KeyError, AttributeError, TimeoutError, web.RequestPayloadError,
    ConnectionResetError,
)  # fmt: skip
"""Raised by a body that is malformed, or did not arrive completely."""


def is_encoded(request: web.Request) -> bool:
    """True if the body is compressed: it is never unpacked."""
    return request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity")


async def read_json(request: web.Request, seconds: float) -> Any:
    """The body, which must arrive within `seconds`. Raises one of MALFORMED, and HTTPRequestEntityTooLarge."""
    async with asyncio.timeout(seconds):
        return loads(await _body(request))


async def _body(request: web.Request) -> bytes:
    """Read the body, a turn of the scheduler for each piece; raises HTTPRequestEntityTooLarge."""
    body, most = bytearray(), request.client_max_size
    while piece := await request.content.readany():
        body += piece
        if len(body) > most:
            raise web.HTTPRequestEntityTooLarge(max_size=most, actual_size=len(body))
        await request.app[SCHEDULER].turn()
    return bytes(body)
