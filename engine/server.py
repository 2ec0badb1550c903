"""The server of the local engine: one port, a `Call` for each connection. A call that fails affects no other."""

import hmac
import logging
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import orjson
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from engine.call import Call
from engine.client_secrets import ClientSecrets, new_session
from engine.connection import FaultyConnection
from engine.faults.faults import Expire, Fault, Refuse
from engine.faults.misbehaviour import Misbehaviour
from engine.faults.script import Script
from engine.gate import Gate
from engine.http_answers import FOREIGN, FULL, REALTIME, Asked, HttpAnswers
from engine.parts import Parts
from realtime import subprotocols
from realtime.server.session import Session, error
from realtime.server.settings import LONGEST_LIFE, Event
from realtime.server.shape import Rejected

log = logging.getLogger(__name__)
socket_log = log.getChild("socket")
socket_log.setLevel(logging.INFO)  # at DEBUG, websockets logs every header, including the token

PATH = REALTIME
SUBPROTOCOL = "realtime"
OPEN_SECONDS = 10.0  # for a handshake
TRANSCRIBERS = re.compile("transcribe|whisper")  # in the names of models that never answer
LARGEST_FRAME = 16 * 2**20  # bytes: an append may hold 15 MiB
RETRY_SECONDS = 5


class Server:
    """A server of the Realtime API. `token` is the key that every client must send; None accepts all clients.

    Sessions end after `session_seconds`, as on the real API. `script` has the faults to show on each connection.
    Answers are spoken `pace` times as fast as speech, see pace.py; as fast as they are made if it is 0.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        token: str | None,
        session_seconds: float = LONGEST_LIFE,
        script: Script | None = None,
        pace: float = 0.0,
        gate: Gate | None = None,
    ) -> None:
        self.calls: set[Call] = set()
        self._parts = parts
        self._token = token
        self._session_seconds = session_seconds
        self._script = script or Script()
        self._pace = pace
        self._gate, self._open = gate or Gate(), 0
        self._secrets = ClientSecrets()
        self._http = HttpAnswers(self.sessions, self._secrets)
        self._connections = 0
        self._handshaking: set[FaultyConnection] = set()

    @asynccontextmanager
    async def listen(self, host: str, port: int) -> AsyncIterator[int]:
        """Serve within the context. Yields the port (a free one if 0 was given). Ends every call with 1001 at exit."""
        async with serve(
            self._answer,
            host,
            port,
            process_request=self._process_request,
            create_connection=FaultyConnection,
            open_timeout=None if self._script.connections else OPEN_SECONDS,  # a script may delay the handshake
            logger=socket_log,
            select_subprotocol=_choose_subprotocol,
            compression=None,
            max_size=LARGEST_FRAME,
            close_timeout=1,
            server_header=None,
        ) as listening:
            try:
                yield listening.sockets[0].getsockname()[1]
            finally:
                for line in self._handshaking:
                    line.transport.abort()

    def sessions(self) -> list[Event]:
        """The live sessions, for tests and for inspection; `seconds` is the age of each."""
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

    async def _process_request(self, socket: ServerConnection, request: Request) -> Response | None:
        """Respond to plain requests; None continues the WebSocket handshake."""
        assert isinstance(socket, FaultyConnection)
        if self._gate.keeps_out(request):
            return _json(socket, *FOREIGN)
        path = urlsplit(request.path).path
        if path.rstrip("/") == PATH and request.method == "GET":
            return await self._handshake(socket)
        asked = Asked(request.method, path, socket.request_body.body, self._has_token(request))
        return _json(socket, *self._http.answer(asked, time.time()))

    async def _handshake(self, line: FaultyConnection) -> Response | None:
        """Prepare the faults that the script has for this connection, and execute those before the 101."""
        if self._open >= self._gate.sessions:
            full = _json(line, *FULL)
            full.headers["Retry-After"] = str(RETRY_SECONDS)
            return full
        self._open += 1
        line.leaves = self._left
        life = Fault(Expire(), on=self._session_seconds)
        line.misbehaviour = Misbehaviour([*self._script.faults(self._connections), life])
        self._connections += 1
        self._handshaking.add(line)
        try:
            for step in line.misbehaviour.connecting():
                if isinstance(step, Refuse):
                    return line.respond(HTTPStatus(step.status), "As the script says.\n")
                await line.execute(step)
        finally:
            self._handshaking.discard(line)
        return None

    def _left(self) -> None:
        self._open -= 1

    async def _answer(self, socket: ServerConnection) -> None:
        assert isinstance(socket, FaultyConnection)
        assert socket.request is not None  # the handshake is over
        try:
            session = self._session(socket.request)
        except Rejected as why:
            await _refuse(socket, 3000 if why.code == "invalid_api_key" else 4000, why)
        else:
            await self._serve(socket, session)

    def _session(self, request: Request) -> Session:
        """The session that a request asks for, or that its secret opens. Raises Rejected."""
        granted = self._secrets.find(_shown_key(request), time.time())
        if granted is None and not self._has_token(request):
            raise Rejected("invalid_api_key", "Incorrect API key provided.")
        query = parse_qs(urlsplit(request.path).query)
        model = query.get("model", [""])[0]
        settings = granted.settings if granted else {"type": "realtime"}
        if query.get("intent") == ["transcription"] or TRANSCRIBERS.search(model):
            settings = {**settings, "type": "transcription"}
        elif not model and not granted:
            raise Rejected("invalid_model", "Missing model: connect with ?model=NAME.", "model")
        life, detector = self._session_seconds, self._parts.detector
        return new_session(settings, model, now=time.time(), detector=detector, seconds=life)

    def _has_token(self, request: Request) -> bool:
        if self._token is None:
            return True
        return hmac.compare_digest(_shown_key(request).encode(), self._token.encode())

    async def _serve(self, socket: FaultyConnection, session: Session) -> None:
        """Run one call. If it crashes, it is closed with 1011 and the traceback is logged."""
        call = Call(socket, session, self._parts, self._pace)
        self.calls.add(call)
        try:
            await call.run()
        except* ConnectionClosed:
            pass
        except* Exception:
            log.exception("session %s failed", session.id)
            crash = Rejected("server_error", "The engine failed at this session; connect again.")
            await _refuse(socket, 1011, crash, kind="server_error")
        finally:
            self.calls.discard(call)


def _choose_subprotocol(socket: ServerConnection, names: Sequence[Subprotocol]) -> Subprotocol | None:
    chosen = subprotocols.choose(names, SUBPROTOCOL)
    return None if chosen is None else Subprotocol(chosen)


async def _refuse(socket: ServerConnection, code: int, why: Rejected, kind: str = "invalid_request_error") -> None:
    """Send an error, then close with the reason `type.code`, as the real API does."""
    try:
        await socket.send(orjson.dumps(error(why, kind=kind)).decode())
    except ConnectionClosed:
        return
    await socket.close(code, f"{kind}.{why.code}")


def _shown_key(request: Request) -> str:
    """The key that a request shows, empty if it shows none. A browser shows it as a subprotocol that it offers."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        return key if scheme == "Bearer" else ""
    return subprotocols.key_in(subprotocols.offered(request.headers.get_all("Sec-WebSocket-Protocol"))) or ""


def _json(socket: ServerConnection, status: HTTPStatus, body: object) -> Response:
    response = socket.respond(status, orjson.dumps(body).decode())
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
