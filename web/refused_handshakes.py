"""What is left of a handshake that is refused: a count by reason, and a log line.

Browsers show their page nothing of the answer to a WebSocket's handshake, so this is all there is to find the cause by.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from web.throttle import CALLS

log = logging.getLogger(__name__)

MOST_LINES = 50  # an hour: a line for each reason with each host and origin
HOUR = 3600.0
BY_STATUS = {400: "handshake", 404: "path", 405: "path"}
ADVICE = {
    "path": "calls are made at /ws-mobile/USER and /ws/USER",
    "user_id": "its user id has a sign that is not allowed, see docs/wire.md",
    "mode": "its mode is none of those of docs/wire.md",
    "handshake": "it was no valid WebSocket handshake",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a handshake was refused: a word for the count, and what to do; neither quotes what was not understood."""

    word: str
    advice: str = ""


REASON = web.RequestKey("why it is refused", Reason)


class RefusedHandshakes:
    """Counts each refusal in `counted`, and logs the first of each kind in an hour."""

    def __init__(self, counted: Counter[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._counted, self._clock = counted, clock
        self._logged = set[Reason]()
        self._began = clock()

    def note(self, reason: Reason) -> None:
        """One more was refused."""
        self._counted[reason.word] += 1
        if self._clock() - self._began >= HOUR:
            self._began = self._clock()
            self._logged.clear()
        if reason not in self._logged and len(self._logged) < MOST_LINES:
            self._logged.add(reason)
            log.warning("refused a handshake (%s): %s", reason.word, reason.advice or ADVICE[reason.word])


def trace_refused_handshakes(refused: RefusedHandshakes) -> Middleware:
    """Note each handshake that a handler or a middleware within this one refuses."""

    @web.middleware
    async def trace(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as answer:
            if _is_handshake(request):
                refused.note(request.get(REASON) or Reason(BY_STATUS.get(answer.status, "handshake")))
            raise

    return trace


def _is_handshake(request: web.Request) -> bool:
    return request.path.startswith(CALLS) or request.headers.get("Upgrade", "").strip().lower() == "websocket"
