"""The socket of the live view, which tells once a second what has changed, and takes three messages.

    {"type": "look", "first": 0, "find": ""}   ──▶   {"type": "now", "calls": 3, ..., "order": [...], "rows": [...]}
    {"type": "end", "session": ID}             ──▶   {"type": "ending", "session": ID}
    {"type": "drain"}                          ──▶   {"type": "draining"}
    anything else                              ──▶   {"type": "error", "message": ...}

Messages are text, in JSON.
"""

import asyncio
import logging
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from actors.admission.rate import Rate
from schemas.decoding import loads
from web.live.access import SUBPROTOCOL
from web.live.view import LONGEST_FIND, Eyes, View
from web.request_handler import TimedRequestHandler

log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
WRITE_SECONDS = 5.0  # for who looks to read what they are told
PING_SECONDS = 20.0  # is anybody still there?
MOST_LOOKING = 3  # at once: at 500 calls each costs the loop 1.3 ms a second
MOST_BYTES = 1024  # of a message of theirs
MOST_CALLS = 1_000_000
MESSAGES, BURST = 5.0, 20.0  # of theirs, a second and at once
FULL = f"{MOST_LOOKING} look already: close one of their pages.\n"
UNKNOWN = "Nobody knows this message."
GONE = "This call is over."


class Lookers:
    """Those who look at the calls of a server, each over a socket."""

    def __init__(self, eyes: Eyes) -> None:
        self._eyes = eyes
        self._sockets: set[web.WebSocketResponse] = set()

    @property
    def full(self) -> bool:
        """True if nobody else may look."""
        return len(self._sockets) >= MOST_LOOKING

    async def look(self, request: web.Request) -> web.StreamResponse:
        """The handler of the socket; raises HTTPServiceUnavailable if too many look."""
        if self.full:
            raise web.HTTPServiceUnavailable(text=FULL)
        socket = web.WebSocketResponse(
            protocols=(SUBPROTOCOL,), max_msg_size=MOST_BYTES, heartbeat=PING_SECONDS, timeout=2.0, compress=False
        )
        self._sockets.add(socket)
        try:
            await socket.prepare(request)
            if isinstance(request.protocol, TimedRequestHandler):
                request.protocol.upgraded()
            await self._serve(socket, request)
        except ConnectionError:  # they left before the upgrade
            return web.Response()
        finally:
            self._sockets.discard(socket)
        return socket

    async def close(self) -> None:
        """The server ends."""
        for socket in list(self._sockets):
            await socket.close(code=1001, message=b"the server has ended")

    async def _serve(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        view, looked = View(), asyncio.Event()
        telling = asyncio.create_task(self._tell(socket, view, looked, request), name="live view")
        rate, clock = Rate(MESSAGES, BURST), asyncio.get_running_loop().time
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT or not rate.take(clock()):
                    await socket.close(code=1008, message=b"send fewer messages, of text")
                    break
                if answer := await self._answer(message.data, view, looked, request.remote or "-"):
                    await _write(socket, orjson.dumps(answer))
        except (ConnectionError, TimeoutError):
            _abort(request)
        finally:
            telling.cancel()
            await asyncio.wait([telling])

    async def _answer(self, text: str, view: View, looked: asyncio.Event, peer: str) -> dict[str, Any] | None:
        """Do what was asked; what to say of it."""
        try:
            said = loads(text.encode())
        except ValueError:
            return {"type": "error", "message": UNKNOWN}
        match said:
            case {"type": "look", "first": int(first), "find": str(find)} if (
                0 <= first < MOST_CALLS and len(find) <= LONGEST_FIND
            ):
                view.look(first, find.strip())
                looked.set()
                return None
            case {"type": "end", "session": str(session)}:
                if not await self._eyes.end(session):
                    return {"type": "error", "message": GONE}
                log.warning("the operator at %s ends session=%s", peer, session)
                return {"type": "ending", "session": session}
            case {"type": "drain"}:
                log.warning("the operator at %s drains the server", peer)
                self._eyes.drain()
                return {"type": "draining"}
        return {"type": "error", "message": UNKNOWN}

    async def _tell(
        self, socket: web.WebSocketResponse, view: View, looked: asyncio.Event, request: web.Request
    ) -> None:
        """What is new, once a second and whenever they look elsewhere. Who does not read it is cut off."""
        try:
            while True:
                looked.clear()
                now = await self._eyes.look(view.first, view.find)
                if now and (news := view.news(now)):
                    await _write(socket, news)
                try:
                    async with asyncio.timeout(EVERY_SECONDS):
                        await looked.wait()
                except TimeoutError:
                    continue
        except (ConnectionError, TimeoutError):
            _abort(request)
        except Exception:
            log.exception("the live view failed")
            _abort(request)


async def _write(socket: web.WebSocketResponse, text: bytes) -> None:
    """Raises ConnectionError, and TimeoutError for who does not read."""
    async with asyncio.timeout(WRITE_SECONDS):
        await socket.send_frame(text, WSMsgType.TEXT)


def _abort(request: web.Request) -> None:
    if request.transport:
        request.transport.abort()
