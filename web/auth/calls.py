"""POST /api/calls: the owner's server, which has the key, gets a token with which one of its users may call."""

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

import orjson
from aiohttp import web

from actors.messages.identity import Identity
from personas import CurrentCatalogue
from schemas.explain import shown
from web.auth import claims
from web.auth.call_tokens import CallTokens
from web.auth.keys import ServerKeys
from web.auth.presented import bearer
from web.client_limits import CLIENT_LIMITS
from web.error_size import error_response
from web.json_body import ENCODED, MALFORMED, is_encoded, read_json

NO_KEY = "Send a key of this server: Authorization: Bearer KEY."
SEND = (
    'Send {"user": "...", "astrologer_ids": [...], "mode": "clip" or "stream", "seconds": N, "birthdate": '
    '"YYYY-MM-DD"}; all but user may go.'
)


class CallsApi:
    """The handler; `trusts` is true for the IP address of a proxy whose `X-Forwarded-Proto` is believed."""

    def __init__(
        self, keys: ServerKeys, tokens: CallTokens, current: CurrentCatalogue, trusts: Callable[[str], bool]
    ) -> None:
        self._keys, self._tokens, self._current, self._trusts = keys, tokens, current, trusts

    def routes(self) -> list[web.RouteDef]:
        """The route."""
        return [web.post("/api/calls", self.create)]

    async def create(self, request: web.Request) -> web.Response:
        """201: {token, url, expires}. The token is good for one call of this user, begun within a minute."""
        if not self._keys.knows(bearer(request)):
            refusal = error_response(401, "not_allowed", NO_KEY)
            refusal.headers["WWW-Authenticate"] = "Bearer"
            return refusal
        if is_encoded(request):
            return error_response(415, "bad_message", ENCODED)
        try:
            said = await read_json(request, CLIENT_LIMITS.body_seconds)
        except MALFORMED:
            said = None
        if not isinstance(said, dict):
            return error_response(400, "bad_message", SEND)
        try:
            identity = claims.read(said)
        except ValueError as fault:
            return error_response(400, "bad_message", str(fault))
        if unknown := sorted((identity.personas or frozenset()) - self._current.catalogue.personas.keys()):
            return error_response(400, "unknown_astrologer", f"Nobody has the id {shown(unknown[0])!r}.")
        return self._created(request, identity)

    def _created(self, request: web.Request, identity: Identity) -> web.Response:
        token, expires = self._tokens.issue(identity)
        secure = request.secure or (
            self._trusts(request.remote or "") and request.headers.get("X-Forwarded-Proto", "").strip() == "https"
        )
        url = f"{'wss' if secure else 'ws'}://{request.host}/ws/{quote(identity.user, safe='')}"
        body = {"token": token, "url": url, "expires": datetime.fromtimestamp(expires, UTC)}
        answer = web.Response(body=orjson.dumps(body), status=201, content_type="application/json")
        answer.headers["Cache-Control"] = "no-store"
        return answer
