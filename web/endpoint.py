"""A call's WebSocket: the upgrade of the request, the admission by the supervisor, then reading and writing."""

import asyncio
import itertools
import logging
import socket as socket_api
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from aiohttp import web

from actors.admission.rate import Rate
from actors.admission.waiting import Ledger
from actors.counters import Counters
from actors.gate import Gate
from actors.messages.admission import Connected, From, Resume, Wished
from actors.messages.caller import Chose, Close, Error, Mode, SearchedPersona, TooFast
from actors.messages.identity import Identity
from actors.runtime import Ref
from realtime import subprotocols
from web.addresses import ADDRESS
from web.auth.doorman import Doorman, Visitor
from web.auth.first_frame import FirstFrame
from web.auth.refusal import NO_TOKEN
from web.call_socket import CLOSE_SECONDS, Socket
from web.client_limits import CLIENT_LIMITS, ClientLimits
from web.connections import MESSAGE_RATE, RETRY_SECONDS
from web.outbox import Outbox, Session
from web.reading_budget import ReadingBudget
from web.receive_buffer import LARGE_A_SECOND, LARGE_AT_ONCE, ReceiveBuffer
from web.receiver import Receiver
from web.refused_handshakes import REASON, Reason
from web.request_handler import TimedRequestHandler
from web.resuming import SENT_EARLY, Comer, asks_to_resume
from web.signs_of_life import SignsOfLife
from web.throttle import CALL_WAIT, MAY_CALL, MAY_RESUME, TOO_MANY_CALLS
from web.user_id import read_user_id

DEAD_SECONDS = 60  # the kernel ends a connection on which sent bytes stay unacknowledged for so long
SUBPROTOCOL = "voice.v1"
TOO_MANY_RESUMES = Close(4429, "too many connections of your address ask for a call at once: wait a few seconds")
MODES: tuple[Mode, ...] = ("clip", "stream")

GATE = web.AppKey("gate", Gate)
"""Of a server that has others beside it."""

_numbers = itertools.count(1)

logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)  # its warning quotes the subprotocols: tokens, often


class Endpoint:
    """The handler of `GET /ws-mobile/{user_id}` and `GET /ws/{user_id}`."""

    def __init__(
        self,
        supervisor: Ref[Connected | Resume],
        counters: Counters,
        waiting: Ledger,
        doorman: Doorman,
        client_limits: ClientLimits = CLIENT_LIMITS,
    ) -> None:
        self._supervisor, self._counters, self._waiting = supervisor, counters, waiting
        self._doorman, self._client_limits = doorman, client_limits
        self._signs = SignsOfLife(client_limits)
        self._large_rate = Rate(LARGE_A_SECOND, LARGE_AT_ONCE)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Upgrade the request and serve the call to its end; raises HTTPBadRequest."""
        user, mode = _caller(request)
        offers = subprotocols.offered(request.headers.getall("Sec-WebSocket-Protocol", ()))
        socket = Socket(self._counters, subprotocols.choose(offers, SUBPROTOCOL))
        try:
            await socket.prepare(request)
        except ConnectionError:  # the peer left before the upgrade: an unprepared WebSocket cannot be closed
            return web.Response()
        if isinstance(request.protocol, TimedRequestHandler):
            request.protocol.upgraded()
        _tune(request.transport, self._client_limits.unsent)
        await self._serve(socket, request, user, mode)
        if socket.may_send and isinstance(request.protocol, TimedRequestHandler):
            await request.protocol.linger(socket.said)
        return socket

    async def _serve(self, socket: Socket, request: web.Request, user: str, mode: Mode | None) -> None:
        """Ask the supervisor to admit the caller, and run both directions until one of them ends."""
        connection, address = next(_numbers), request.get(ADDRESS, "")
        holding = self._waiting.holding(connection, address)
        receive_buffer = ReceiveBuffer(socket, request.protocol, holding, self._client_limits, self._large_rate)
        receive_buffer.feed_data(socket.early)
        outbox = Outbox(socket, request.transport, connection, self._client_limits, holding)
        if gate := request.app.get(GATE):
            gate.add(outbox)
        writing = asyncio.create_task(outbox.run(), name=f"outbox {connection}")
        try:
            visitor = await self._doorman.identify(request, user)
            _lost(request)
            comer = Comer(user, connection, outbox, self._client_limits.resume_seconds, address)
            session = await self._resumed(socket, request, comer, visitor)
            resumed = session is not None
            if not session and not outbox.closing:
                session = await self._admitted(visitor, request, outbox, connection, mode)
            if session:
                if not resumed and (wish := _wish(request.query)):
                    session.tell(Wished(connection, wish))
                elif resumed and not socket.frames.empty:
                    session.tell(From(connection, TooFast(SENT_EARLY)))
                budget = ReadingBudget(request.get(MESSAGE_RATE))
                receiver = Receiver(
                    socket, socket.frames, session, connection, holding, receive_buffer, request, self._counters, budget
                )
                receiver.first, comer.first = comer.first, None
                if not resumed and isinstance(visitor, Visitor) and visitor.token_id:
                    receiver.session = FirstFrame(receiver, session, partial(self._doorman.heard, visitor))
                with self._signs.watch(connection, receiver, outbox, request.transport):
                    await receiver.run(self._client_limits.pong_seconds)
        except (ConnectionError, TimeoutError):  # a pong could not be written: the peer does not read
            if request.transport:
                request.transport.abort()
        else:
            await asyncio.wait([writing], timeout=CLOSE_SECONDS if outbox.closing else 0)
        finally:
            writing.cancel()
            receive_buffer.close()
            holding.close()

    async def _admitted(
        self, visitor: Visitor | Close, request: web.Request, outbox: Outbox, connection: int, mode: Mode | None
    ) -> Session | None:
        """The session of the call that begins; None if it may not, and then the caller is told why."""
        refusal = visitor if isinstance(visitor, Close) else _forbidden(visitor.identity, request.query, mode)
        if not refusal and isinstance(visitor, Visitor):
            refusal = await self._doorman.admit(visitor)
        if isinstance(visitor, Visitor) and not refusal:
            _lost(request)  # meanwhile: its user may be on the line over another connection by now
            identity, address = visitor.identity, request.get(ADDRESS, "")
            self._supervisor.tell(Connected(identity, connection, outbox, identity.mode or mode, address))
        elif refusal:
            self._turn_away(outbox, refusal)
        return await outbox.admitted

    def _turn_away(self, outbox: Outbox, why: Close) -> None:
        """Close the connection, unless it is closed already; it counts as refused."""
        self._counters.refused[why.code] += 1
        outbox.tell(why)

    async def _resumed(
        self, socket: Socket, request: web.Request, comer: Comer, visitor: Visitor | Close
    ) -> Session | None:
        """The session of the call that this connection goes on with; None if it begins another, or is closed.

        Who brings no token that is good may do this alone, as the token of the call that goes on is one.
        """
        if not asks_to_resume(request.query):
            return None
        if isinstance(visitor, Close):
            if visitor.code != NO_TOKEN.code:
                return None
            comer = replace(comer, refusal=visitor)
        if (may_resume := request.get(MAY_RESUME)) and not may_resume():
            comer.outbox.tell(Error("busy", TOO_MANY_RESUMES.reason, "address_connects", RETRY_SECONDS))
            self._turn_away(comer.outbox, TOO_MANY_RESUMES)
            return None
        if session := await comer.resume(socket, self._supervisor):
            return session
        if isinstance(visitor, Close):
            self._turn_away(comer.outbox, visitor)
            return None
        if not comer.outbox.closing and not _wish(request.query):
            await comer.begins(socket, self._client_limits.begin_seconds)
        may_call = request.get(MAY_CALL)
        if may_call and not comer.outbox.closing and not may_call():
            comer.outbox.tell(Error("busy", TOO_MANY_CALLS, "address_connects", request[CALL_WAIT]()))
            comer.outbox.tell(Close(4429, "too many calls begin at your address at once: wait a few seconds"))
        return None


def _caller(request: web.Request) -> tuple[str, Mode | None]:
    """The user id and the mode that the address names; raises HTTPBadRequest."""
    try:
        user = read_user_id(request.match_info["user_id"])
    except ValueError as error:
        raise _bad(request, "user_id", f"{error}") from None
    mode = next((mode for mode in MODES if mode == request.query.get("mode")), None)
    if mode is None and "mode" in request.query:
        raise _bad(request, "mode", f"The mode is one of: {', '.join(MODES)}.")
    if not request.headers.get("Sec-WebSocket-Key", "").isascii():  # aiohttp raises on it
        raise _bad(request, "handshake", "The Sec-WebSocket-Key is no base64.")
    return user, mode


def _forbidden(identity: Identity, query: Mapping[str, str], mode: Mode | None) -> Close | None:
    """Why the caller's token is not for what the address asks for; None if it is."""
    reason = identity.refusal(query.get("astrologer_id", ""), mode)
    return Close(4403, reason) if reason else None


def _lost(request: web.Request) -> None:
    """Raises ConnectionResetError if the connection is lost already: no call begins that nobody can hear."""
    if request.transport is None or request.transport.is_closing():
        raise ConnectionResetError


def _bad(request: web.Request, why: str, text: str) -> web.HTTPBadRequest:
    request[REASON] = Reason(why)
    return web.HTTPBadRequest(text=f"{text}\n")


def _tune(transport: asyncio.Transport | None, unsent: int) -> None:
    """Have the kernel end a dead connection, and limit its send buffer to `unsent` bytes.

    A `clear` cannot take back what is in that buffer or in the transport's, and a pong waits behind it. aiohttp's
    heartbeat would set a timer for each frame.
    """
    connection = transport.get_extra_info("socket") if transport else None
    if not transport or connection is None:
        return
    connection.setsockopt(socket_api.SOL_SOCKET, socket_api.SO_SNDBUF, unsent)
    transport.set_write_buffer_limits(high=unsent // 4)
    if hasattr(socket_api, "TCP_USER_TIMEOUT") and connection.family != socket_api.AF_UNIX:
        connection.setsockopt(socket_api.IPPROTO_TCP, socket_api.TCP_USER_TIMEOUT, DEAD_SECONDS * 1000)


def _wish(query: Mapping[str, str]) -> Chose | SearchedPersona | None:
    """The persona that the address names, or else the search for one."""
    resumable = query.get("resumable") == "true"
    if astrologer_id := query.get("astrologer_id"):
        return Chose(astrologer_id, resumable=resumable)
    if "match" in query:
        return SearchedPersona(query["match"], query.get("language") or None, resumable=resumable)
    return None
