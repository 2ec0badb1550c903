"""The calls of several servers in one view: what each of them tells, and how it is put together.

    GET /live/calls?find=...     ──▶   how many there are, and when each that fits began, the newest first
    GET /live/rows?of=ID,ID      ──▶   what is shown of these
    POST /live/end?session=ID    ──▶   200: it ends; 404: there is none of that id

Over unix sockets, which only the user of the servers can open.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from web.asking import ask
from web.live.rows import ROWS, Live, Looked, Row

WITHIN = 2.0  # seconds, in which a server must have told its calls


class Told:
    """The routes of a server that is asked for its calls; it has no page of its own."""

    open_paths = frozenset[str]()

    def __init__(self, live: Live) -> None:
        self._live = live
        self.routes: list[web.RouteDef] = [
            web.get("/live/calls", self._calls),
            web.get("/live/rows", self._rows),
            web.post("/live/end", self._end),
        ]

    async def close(self, _: web.Application) -> None:
        """The server ends; nobody hangs on it."""

    async def _calls(self, request: web.Request) -> web.Response:
        if (shown := self._live.shown()) is None:
            raise web.HTTPServiceUnavailable
        found = [(self._live.began(call), call.id) for call in self._live.fitting(shown, request.query["find"])]
        return _json({"calls": len(shown.calls), "away": self._live.away(), "found": found})

    async def _rows(self, request: web.Request) -> web.Response:
        shown, wanted = self._live.shown(), set(request.query["of"].split(","))
        return _json(self._live.rows([call for call in shown.calls if call.id in wanted]) if shown else [])

    async def _end(self, request: web.Request) -> web.Response:
        if not self._live.end_now(request.query["session"]):
            raise web.HTTPNotFound
        return web.Response()


@dataclass(frozen=True, slots=True)
class Workers:
    """Eyes for the calls of several servers, by their names. `most` calls are let in, by all of them together."""

    sockets: Mapping[str, Path]
    most: int
    draining: Callable[[], bool]
    """True if all of them end; one alone may, too."""
    drain: Callable[[], None]
    within: float = WITHIN

    async def look(self, first: int, find: str) -> Looked | None:
        """As `Eyes`; each row has the name of its worker."""
        told = await self._ask_each("/live/calls", {name: {"find": find} for name in self.sockets})
        found = sorted(((*call, name) for name, one in told.items() if one for call in one["found"]), reverse=True)
        page = found[first : first + ROWS]
        rows = await self._rows([(session, name) for _, session, name in page])
        return Looked(
            calls=sum(one["calls"] for one in told.values() if one),
            away=sum(one["away"] for one in told.values() if one),
            most=self.most,
            draining=self.draining(),
            found=len(found),
            first=first,
            rows=rows,
            silent=[name for name, one in told.items() if not one],
        )

    async def end(self, session: str) -> bool:
        """As `Eyes`: one of them has it."""
        query = {"session": session}
        asked = (ask(socket, "/live/end", self.within, query, "POST") for socket in self.sockets.values())
        return any(answer is not None for answer in await asyncio.gather(*asked))

    async def _rows(self, page: list[tuple[str, str]]) -> list[Row]:
        """What is shown of these sessions, each with its worker, in this order; a call may be over by now."""
        wanted = {name: {"of": ",".join(one for one, of in page if of == name)} for _, name in page}
        told = await self._ask_each("/live/rows", wanted)
        rows = {(row["session"], name): row | {"worker": name} for name, some in told.items() for row in some or ()}
        return [rows[one] for one in page if one in rows]

    async def _ask_each(self, path: str, queries: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
        """What each of these workers says; None of one that does not answer in time."""
        asked = (ask(self.sockets[name], path, self.within, query) for name, query in queries.items())
        answers = await asyncio.gather(*asked)
        return {name: orjson.loads(one) if one else None for name, one in zip(queries, answers, strict=True)}


def _json(data: Any) -> web.Response:
    return web.Response(body=orjson.dumps(data), content_type="application/json")
