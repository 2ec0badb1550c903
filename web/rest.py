"""The REST side: is the server well, and which personas are there. Public fields only."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, TypeAlias

import orjson
from aiohttp import ETag, web

from actors.messages.admission import Inquired, Report
from actors.runtime import Ref
from personas import Catalogue, CurrentCatalogue
from schemas import Refused
from web.brief import refusal
from web.listing import Listing, Page, check_language
from web.patience import PATIENCE, Patience
from web.rows import Minute, Row, Rows, Sheet
from web.turnstile import TURNSTILE

INQUIRY_SECONDS = 1.0
SERVICE = "persona-voice-server"

UNREADABLE = (
    orjson.JSONDecodeError, TypeError, KeyError, AttributeError, TimeoutError, web.RequestPayloadError,
    ConnectionResetError,
)  # fmt: skip
"""What comes of a body that is not what was asked for, or that never came whole."""

Ask: TypeAlias = Callable[[], Awaitable[bool]]


class Reply:
    """A Ref for one Report."""

    def __init__(self) -> None:
        self.report: asyncio.Future[Report] = asyncio.get_running_loop().create_future()

    def tell(self, message: Report, /) -> None:
        if not self.report.done():
            self.report.set_result(message)


class Rest:
    """The handlers. `would_answer` says whether the model would answer a call now; `upstream` names it."""

    def __init__(
        self,
        supervisor: Ref[Inquired],
        current: CurrentCatalogue,
        upstream: str,
        would_answer: Callable[[], Awaitable[bool]],
        patience: Patience = PATIENCE,
    ) -> None:
        self._supervisor, self._current = supervisor, current
        self._upstream, self._would_answer = upstream, would_answer
        self._body_seconds = patience.body_seconds
        self._rows = Rows()

    def routes(self) -> list[web.RouteDef]:
        """What to serve."""
        return [
            web.get("/health", self.health),
            web.get("/ready", self.ready),
            web.get("/api/astrologers", self.list),
            web.get("/api/astrologers/{astrologer_id}", self.show),
            web.post("/api/astrologers/match", self.match),
        ]

    async def health(self, request: web.Request) -> web.Response:
        """The process is alive."""
        return _json({"status": "healthy", "service": SERVICE, "version": version(SERVICE)})

    async def ready(self, request: web.Request) -> web.Response:
        """200 when a call would be answered now, else 503."""
        reply = Reply()
        self._supervisor.tell(Inquired(reply))
        try:
            report = await asyncio.wait_for(reply.report, INQUIRY_SECONDS)
        except TimeoutError:
            report = Report(admitting=False, callers=0)
        ready = report.admitting and await self._would_answer()
        return _json({"ready": ready, "upstream": self._upstream}, status=200 if ready else 503)

    async def list(self, request: web.Request) -> web.Response:
        """The personas, filtered by any of language, gender, speciality, status and open; `limit` of them at a time.

        Who comes after those is asked for with `after`, which names the last of these.
        """
        now, catalogue = datetime.now(UTC), self._catalogue
        try:
            these = Listing.read(request).page(catalogue, now)
        except Refused as refused:
            return refusal(400, refused.code, refused.message)
        rows = await _rendered(request, these, self._rows.at(catalogue, now))
        more = {"total": these.total} | ({"after": these.after} if these.after else {})
        tail = b"]," + orjson.dumps(more).removeprefix(b"{")
        tag = b"".join(tag for _, tag in rows) + tail
        return _fresh(request, tag, lambda: Sheet([data for data, _ in rows], tail, request.app[TURNSTILE]))

    async def show(self, request: web.Request) -> web.Response:
        """One persona, active or not."""
        catalogue = self._catalogue
        if persona := catalogue.personas.get(request.match_info["astrologer_id"]):
            data, tag = self._rows.at(catalogue, datetime.now(UTC)).row(persona)
            return _fresh(request, tag, lambda: data)
        return refusal(404, "unknown_astrologer", "There is no such persona: see /api/astrologers.")

    @property
    def _catalogue(self) -> Catalogue:
        return self._current.catalogue

    async def match(self, request: web.Request) -> web.Response:
        """Who fits a question best, of those who take calls now.

        {query, language?} -> {matches: [{astrologer_id, score, because}]}
        """
        if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            return refusal(415, "bad_message", "Send the body as it is, without a Content-Encoding.")
        try:
            query, language = await _wish(request, self._body_seconds)
        except Refused as refused:
            return refusal(400, refused.code, refused.message)
        found = self._catalogue.match(query, language, moment=datetime.now(UTC))
        matches = [{"astrologer_id": one.persona.id, "score": one.score, "because": one.because} for one in found]
        return _json({"matches": matches})


async def _wish(request: web.Request, seconds: float) -> tuple[str, str]:
    """The query and the language, maybe empty, in a body that comes in time; raises Refused: bad_message."""
    try:
        async with asyncio.timeout(seconds):
            body = await _body(request)
        wish = orjson.loads(body)
        query, language = wish["query"], wish.get("language")
    except UNREADABLE:
        query = language = None
    if not isinstance(query, str) or not isinstance(language, str | None):
        raise Refused("bad_message", 'Send {"query": "...", "language": "..."}, or no language.')
    language = (language or "").strip()
    check_language(language)
    return query, language


async def _body(request: web.Request) -> bytes:
    """Piece by piece, each of which was waited for; raises HTTPRequestEntityTooLarge."""
    body, most = bytearray(), request.client_max_size
    while piece := await request.content.readany():
        body += piece
        if len(body) > most:
            raise web.HTTPRequestEntityTooLarge(max_size=most, actual_size=len(body))
        await request.app[TURNSTILE].turn()
    return bytes(body)


async def _rendered(request: web.Request, these: Page, minute: Minute) -> list[Row]:
    """Their rows; whoever has to render many takes several turns."""
    rows, gate = list[Row](), request.app[TURNSTILE]
    began = time.perf_counter()
    for persona in these.personas:
        rows.append(minute.row(persona))
        if gate.is_used_up(began):
            await gate.turn()
            began = time.perf_counter()
    return rows


def _fresh(request: web.Request, tag: bytes, body: Callable[[], bytes | Sheet]) -> web.Response:
    """The answer with its ETag, made of `tag`; to who has it already, only that it is still true."""
    etag = hashlib.sha256(tag).hexdigest()[:20]
    known = request.if_none_match or ()
    if any(one.value in (etag, "*") for one in known):
        answer = web.Response(status=304)
    else:
        answer = web.Response(body=body(), content_type="application/json")
    answer.etag = ETag(etag)
    answer.headers["Cache-Control"] = "no-cache"  # ask each time: hours begin and end, files are edited
    return answer


def _json(data: Any, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(data), status=status, content_type="application/json")
