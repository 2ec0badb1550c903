"""The REST API: the health of the server, and the personas with their public fields."""

import hashlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import orjson
from aiohttp import ETag, web

from actors.messages.admission import Inquired
from actors.runtime import Ref
from personas import Catalogue, CurrentCatalogue
from schemas import Refused
from web.client_limits import CLIENT_LIMITS, ClientLimits
from web.error_size import error_response
from web.json_body import ENCODED, MALFORMED, is_encoded, read_json
from web.listing import Listing, Page, check_language
from web.ready import Ready
from web.request_scheduler import SCHEDULER
from web.rows import ListPayload, Minute, Row, Rows

SERVICE = "persona-voice-server"


class Rest:
    """The handlers. `would_answer` is true if the model would answer a call now; `upstream` is its name.

    `closed`: calls need a token.
    """

    def __init__(
        self,
        supervisor: Ref[Inquired],
        current: CurrentCatalogue,
        upstream: str,
        would_answer: Callable[[], Awaitable[bool]],
        client_limits: ClientLimits = CLIENT_LIMITS,
        closed: bool = False,
    ) -> None:
        self._current, self._upstream, self._closed = current, upstream, closed
        self._ready = Ready(supervisor, would_answer)
        self._body_seconds = client_limits.body_seconds
        self._rows = Rows()

    def routes(self) -> list[web.RouteDef]:
        """The routes of the API."""
        return [
            web.get("/health", self.health),
            web.get("/ready", self.ready),
            web.get("/api/astrologers", self.list),
            web.get("/api/astrologers/{astrologer_id}", self.show),
            web.post("/api/astrologers/match", self.match),
        ]

    async def health(self, request: web.Request) -> web.Response:
        """200: the process is alive."""
        return _json({"status": "healthy", "service": SERVICE, "version": version(SERVICE)})

    async def ready(self, request: web.Request) -> web.Response:
        """200 if a call would be answered now, else 503."""
        ready = await self._ready.now()
        said = {"ready": ready, "upstream": self._upstream, "closed": self._closed}
        return _json(said, status=200 if ready else 503)

    async def list(self, request: web.Request) -> web.Response:
        """A page of the personas, filtered by any of language, gender, speciality, status and open.

        The query's `limit` is the size of a page, its `after` the id with which the page before ended.
        """
        now, catalogue = datetime.now(UTC), self._catalogue
        try:
            page = Listing.read(request).page(catalogue, now)
        except Refused as refused:
            return error_response(400, refused.code, refused.message)
        rows = await _rendered(request, page, self._rows.at(catalogue, now))
        more = {"total": page.total, "success": True, "count": len(rows)} | (
            {"after": page.after} if page.after else {}
        )
        tail = b"]," + orjson.dumps(more).removeprefix(b"{")
        tag = b"".join(tag for _, tag in rows) + tail
        return _cached(request, tag, lambda: ListPayload([data for data, _ in rows], tail, request.app[SCHEDULER]))

    async def show(self, request: web.Request) -> web.Response:
        """One persona, active or not."""
        catalogue = self._catalogue
        if persona := catalogue.personas.get(request.match_info["astrologer_id"]):
            data, tag = self._rows.at(catalogue, datetime.now(UTC)).row(persona)
            return _cached(request, tag, lambda: data)
        return error_response(404, "unknown_astrologer", "There is no such persona: see /api/astrologers.")

    @property
    def _catalogue(self) -> Catalogue:
        return self._current.catalogue

    async def match(self, request: web.Request) -> web.Response:
        """The personas that match a query best, of those who take calls now.

        {query, language?} -> {matches: [{astrologer_id, score, because}]}
        """
        if is_encoded(request):
            return error_response(415, "bad_message", ENCODED)
        try:
            query, language = await _query(request, self._body_seconds)
        except Refused as refused:
            return error_response(400, refused.code, refused.message)
        found = self._catalogue.match(query, language, moment=datetime.now(UTC))
        matches = [{"astrologer_id": one.persona.id, "score": one.score, "because": one.because} for one in found]
        return _json({"matches": matches})


async def _query(request: web.Request, seconds: float) -> tuple[str, str]:
    """The query and the language, or "", of a body that arrives within `seconds`; raises Refused: bad_message."""
    try:
        data = await read_json(request, seconds)
        query, language = data["query"], data.get("language")
    except MALFORMED:
        query = language = None
    if not isinstance(query, str) or not isinstance(language, str | None):
        raise Refused("bad_message", 'Send {"query": "...", "language": "..."}, or no language.')
    language = (language or "").strip()
    check_language(language)
    return query, language


async def _rendered(request: web.Request, page: Page, minute: Minute) -> list[Row]:
    """The rows of the page; rendering many takes several turns of the scheduler."""
    rows, scheduler = list[Row](), request.app[SCHEDULER]
    began = time.perf_counter()
    for persona in page.personas:
        rows.append(minute.row(persona))
        if scheduler.is_used_up(began):
            await scheduler.turn()
            began = time.perf_counter()
    return rows


def _cached(request: web.Request, tag: bytes, body: Callable[[], bytes | ListPayload]) -> web.Response:
    """The response with an ETag made of `tag`, or 304 if the client has that version."""
    etag = hashlib.sha256(tag).hexdigest()[:20]
    known = request.if_none_match or ()
    if any(one.value in (etag, "*") for one in known):
        answer = web.Response(status=304)
    else:
        answer = web.Response(body=body(), content_type="application/json")
    answer.etag = ETag(etag)
    answer.headers["Cache-Control"] = "no-cache"  # hours begin and end, the file is edited
    return answer


def _json(data: Any, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(data), status=status, content_type="application/json")
