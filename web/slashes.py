"""Paths with doubled slashes or one at the end, as a base address and a path give when they are joined."""

import re

from aiohttp import web
from aiohttp.http_parser import RawRequestMessage
from yarl import URL

_DOUBLED = re.compile("//+")


def tidy(path: str) -> str:
    """The path, which may have a query, with single slashes and none at its end: "//ws/u1/?a=b/" is "/ws/u1?a=b/"."""
    if not path.startswith("/"):
        return path
    before, mark, query = path.partition("?")
    return (_DOUBLED.sub("/", before).rstrip("/") or "/") + mark + query


def ignore_slashes(server: web.Server) -> None:
    """Have the server see every path as it is without them: its routes, and the limits that go by the path, too."""
    make = server.request_factory

    def make_tidy(message: RawRequestMessage, *rest: object) -> web.BaseRequest:
        path = tidy(message.path)
        if path != message.path:
            message = message._replace(path=path, url=URL(path, encoded=True))
        return make(message, *rest)  # type: ignore[arg-type]

    server.request_factory = make_tidy
