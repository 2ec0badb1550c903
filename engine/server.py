"""The sockets of the local engine: many sessions on one port, each with its own tasks, none able to hurt another."""

import hmac
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import orjson
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from engine.call import Call
from engine.faults.faults import Expire, Fault, Refuse
from engine.faults.misbehaviour import Misbehaviour
from engine.faults.script import Script
from engine.parts import Parts
from engine.socket import Line
from realtime.server.session import Session, error
from realtime.server.settings import LONGEST_LIFE, Event
from realtime.server.shape import Rejected

log = logging.getLogger(__name__)
socket_log = log.getChild("socket")
socket_log.setLevel(logging.INFO)  # below it websockets writes down every header, and so the token

PATH = "/v1/realtime"
OPEN_SECONDS = 10.0  # for a handshake
LARGEST_FRAME = 16 * 2**20  # bytes: an append may hold 15 MiB


class Server:
    """A Realtime server; `token` is the key that every client must show, None lets everybody in.

    Sessions end as they do on the real API when they are `session_seconds` old. `script` says what else goes wrong.
    """

    def __init__(
        self, parts: Parts, *, token: str | None, session_seconds: float = LONGEST_LIFE, script: Script | None = None
    ) -> None:
        self.calls: set[Call] = set()
        self._parts = parts
        self._token = token
        self._session_seconds = session_seconds
        self._script = script or Script()
        self._connections = 0
        self._knocking: set[Line] = set()

    @asynccontextmanager
    async def listen(self, host: str, port: int) -> AsyncIterator[int]:
        """Answer while the context is open; gives the port, a free one for 0. Leaving ends every call with 1001."""
        async with serve(
            self._answer,
            host,
            port,
            process_request=self._look_at,
            create_connection=Line,
            open_timeout=None if self._script.connections else OPEN_SECONDS,  # a script may say how long it takes
            logger=socket_log,
            compression=None,
            max_size=LARGEST_FRAME,
            close_timeout=1,
            server_header=None,
        ) as listening:
            try:
                yield listening.sockets[0].getsockname()[1]
            finally:
                for line in self._knocking:
                    line.transport.abort()

    def sessions(self) -> list[Event]:
        """The live sessions, for tests and for eyes: what each was told and how long it lives, in seconds."""
        now = time.monotonic()
        return [
            {
                "id": call.session.id,
                "instructions": call.session.settings["instructions"],
                "voice": call.session.settings["audio"]["output"]["voice"],
                "seconds": round(now - call.began, 3),
            }
            for call in self.calls
        ]

    async def _look_at(self, socket: ServerConnection, request: Request) -> Response | None:
        """Answer plain GETs; None lets the WebSocket handshake go on."""
        path = urlsplit(request.path).path
        if path == PATH:
            assert isinstance(socket, Line)
            return await self._let_in(socket)
        if path == "/health":
            return _json(socket, HTTPStatus.OK, {"status": "healthy", "sessions": len(self.calls)})
        if path != "/sessions":
            return _json(socket, HTTPStatus.NOT_FOUND, {"error": f"Nothing is here; sessions are at {PATH}."})
        if not self._is_known(request):
            return _json(socket, HTTPStatus.UNAUTHORIZED, {"error": "Show the token as a Bearer."})
        return _json(socket, HTTPStatus.OK, self.sessions())

    async def _let_in(self, line: Line) -> Response | None:
        """The handshake of the next connection, with the faults that the script has for it."""
        life = Fault(Expire(), on=self._session_seconds)
        line.misbehaviour = Misbehaviour([*self._script.faults(self._connections), life])
        self._connections += 1
        self._knocking.add(line)
        try:
            for step in line.misbehaviour.connecting():
                if isinstance(step, Refuse):
                    return line.respond(HTTPStatus(step.status), "As the script says.\n")
                await line.carry_out(step)
        finally:
            self._knocking.discard(line)
        return None

    async def _answer(self, socket: ServerConnection) -> None:
        assert isinstance(socket, Line)
        assert socket.request is not None  # the handshake is over
        model = parse_qs(urlsplit(socket.request.path).query).get("model", [""])[0]
        if not self._is_known(socket.request):
            await _turn_away(socket, 3000, Rejected("invalid_api_key", "Incorrect API key provided."))
        elif not model:
            message = "Missing model: connect with ?model=NAME."
            await _turn_away(socket, 4000, Rejected("invalid_model", message, "model"))
        else:
            life = self._session_seconds
            session = Session(model, now=time.time(), detector=self._parts.detector, seconds=life)
            await self._serve(socket, session)

    def _is_known(self, request: Request) -> bool:
        if self._token is None:
            return True
        shown = request.headers.get("Authorization", "")
        return hmac.compare_digest(shown.encode(), f"Bearer {self._token}".encode())

    async def _serve(self, socket: Line, session: Session) -> None:
        """One call to its end; a fault of ours ends this one with 1011 and is logged once."""
        call = Call(socket, session, self._parts)
        self.calls.add(call)
        try:
            await call.run()
        except* ConnectionClosed:
            pass
        except* Exception:
            log.exception("session %s failed", session.id)
            crash = Rejected("server_error", "The engine failed at this session; connect again.")
            await _turn_away(socket, 1011, crash, kind="server_error")
        finally:
            self.calls.discard(call)


async def _turn_away(socket: ServerConnection, code: int, why: Rejected, kind: str = "invalid_request_error") -> None:
    """Say why, then close: the reason is `type.code`, as on the real API."""
    try:
        await socket.send(orjson.dumps(error(why, kind=kind)).decode())
    except ConnectionClosed:
        return
    await socket.close(code, f"{kind}.{why.code}")


def _json(socket: ServerConnection, status: HTTPStatus, body: object) -> Response:
    response = socket.respond(status, orjson.dumps(body).decode())
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json"
    return response
