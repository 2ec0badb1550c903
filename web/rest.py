"""The REST side: is the server well, and which personas are there. Public fields only."""

import asyncio
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any, TypeAlias

import orjson
from aiohttp import web

from actors.base import Ref
from actors.messages import Inquired, Report
from personas import Catalogue
from schemas import Refused

INQUIRY_SECONDS = 1.0
BODY_SECONDS = 10.0
SERVICE = "persona-voice-server"


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
        catalogue: Catalogue,
        upstream: str,
        would_answer: Callable[[], Awaitable[bool]],
    ) -> None:
        self._supervisor, self._catalogue = supervisor, catalogue
        self._upstream, self._would_answer = upstream, would_answer

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
        """The personas, filtered by any of language, gender, speciality and status."""
        names = ("language", "gender", "speciality", "status")
        wanted = {name: request.query[name] for name in names if name in request.query}
        found = [persona.public() for persona in self._catalogue.find(**wanted)]
        return _json({"astrologers": found, "total": len(found)})

    async def show(self, request: web.Request) -> web.Response:
        """One persona, active or not."""
        wanted = request.match_info["astrologer_id"]
        for persona in self._catalogue.all():
            if persona.id == wanted:
                return _json(persona.public())
        return _refusal(404, Refused("unknown_astrologer", "There is no such persona: see /api/astrologers."))

    async def match(self, request: web.Request) -> web.Response:
        """Who fits a question best: {query, language?} -> {matches: [{astrologer_id, score, because}]}."""
        try:
            async with asyncio.timeout(BODY_SECONDS):
                wish = orjson.loads(await request.read())
            query, language = wish["query"], wish.get("language")
        except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError, TimeoutError, web.RequestPayloadError):
            query = language = None
        if not isinstance(query, str) or not isinstance(language, str | None):
            return _refusal(400, Refused("bad_message", 'Send {"query": "...", "language": "..."}, or no language.'))
        found = self._catalogue.match(query, language)
        matches = [{"astrologer_id": one.persona.id, "score": one.score, "because": one.because} for one in found]
        return _json({"matches": matches})


def _json(data: Any, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(data), status=status, content_type="application/json")


def _refusal(status: int, refused: Refused) -> web.Response:
    return _json({"code": refused.code, "message": refused.message}, status)
