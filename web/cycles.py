"""Breaks the cycles in which aiohttp keeps what ended with an error: error, traceback, frames, request, error.

Only a full collection frees them: one of 800 requests held the loop for 50 ms.
"""

from collections.abc import Iterator

from aiohttp import web


def let_go(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """The request is over: nobody asks any more where its errors came from, nor what was answered."""
    response._req = response._payload_writer = None  # are there yet if the client was gone before the answer
    for kept in _errors(request, response):
        error = kept
        while error:
            error.__traceback__, error = None, error.__context__


def _errors(request: web.BaseRequest, response: web.StreamResponse) -> Iterator[BaseException | None]:
    """What aiohttp keeps: of a body that broke off, of a path or method that there is not, of a WebSocket."""
    yield request.content.exception()
    if isinstance(request, web.Request) and request._match_info is not None:  # what is no HTTP was given no route
        yield request._match_info.http_exception
    if isinstance(response, web.WebSocketResponse):
        yield response.exception()
        if response._reader is not None:
            yield response._reader.exception()
