"""A link moves the bytes of one upstream connection: dialled once, never redialled. Upstream says where it leads."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, TypeAlias, cast
from urllib.parse import parse_qs, urlencode, urlsplit

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI, SecurityError
from websockets.uri import parse_uri

from upstream import models
from upstream.dialling import Connect
from upstream.facts import FRAMES_AT_ONCE, Frame, LinkBegan, LinkEnded, LinkEvent
from upstream.models import Capabilities, Prices
from upstream.pseudonyms import Pseudonyms
from upstream.websocket import Socket

log = logging.getLogger(__name__)
socket_log = log.getChild("socket")
socket_log.setLevel(logging.INFO)  # below it websockets writes down every header, and so our key

OPEN_SECONDS = 10.0  # connecting takes 0.8 to 2.1 s at OpenAI
CLOSE_SECONDS = 1.0
MAX_FRAME = 2**20  # 16 s of audio in one delta, of which servers send 0.25: to read 1.5 MiB takes 5 ms of the loop
REFUSING_STATUS = (401, 403)  # other servers check the key before the 101; as the close code 3000
HANDSHAKES = 50  # at most so many at once: a storm of connects helps nobody, and 500 calls want theirs back in 30 s
MOST_UNHANDLED = 64  # frames that wait for the listener; then TCP holds the upstream back

Frames: TypeAlias = Callable[[], list[bytes]]


async def at_once() -> None:
    """Nobody else opens connections."""


class Listener(Protocol):
    """Whom a link tells; `backlog` counts the messages that it has not handled yet."""

    @property
    def backlog(self) -> int: ...

    def tell(self, message: LinkEvent, /) -> None: ...


def check_url(url: str) -> str:
    """The address, if a WebSocket can be opened there. Raises ValueError; it does not repeat what may hold a key."""
    try:
        parse_uri(url)
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except (InvalidURI, ValueError):
        usable = False
    if not usable:
        raise ValueError("no WebSocket address: write one such as wss://HOST/v1/realtime")
    return parts.geturl()


@dataclass(frozen=True)
class Upstream:
    """Where the model is: one per process. `url` is the WebSocket address, `key` is never shown, nor is a query.

    `model` is asked for where the address names none. `session_seconds` is how long it lets a session last, where that
    is not what the model's record says. `ping_seconds` pass between pings, and until something must have come: a dead
    line is found out within twice that. `turn` returns when others who open connections let this one be opened.
    """

    url: str = field(repr=False)
    model: str
    key: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    handshakes: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(HANDSHAKES), repr=False)
    session_seconds: float | None = None
    ping_seconds: float = 5.0
    pseudonyms: Pseudonyms = field(default_factory=Pseudonyms, repr=False)
    turn: Callable[[], Awaitable[None]] = field(default=at_once, repr=False)

    @property
    def address(self) -> str:
        """What is dialled: the query as its owner wrote it, and in it a model."""
        parts = urlsplit(self.url)
        if _model_in(parts.query):
            return self.url
        said = [pair for pair in parts.query.split("&") if pair not in ("", "model", "model=")]
        return parts._replace(query="&".join([*said, urlencode({"model": self.model})])).geturl()

    @property
    def record(self) -> models.Model:
        """What is known of the model that answers there."""
        return models.named(_model_in(urlsplit(self.url).query) or self.model)

    @property
    def can(self) -> Capabilities:
        """What a connection to it can do."""
        can = self.record.can
        return replace(can, session_seconds=self.session_seconds) if self.session_seconds else can

    @property
    def prices(self) -> Prices | None:
        """What its tokens cost, if that is known."""
        return self.record.prices

    def dial(self, user: str, to: Listener, frames: Frames) -> "Link":
        """Open a connection of this user's own; what becomes of it is told to `to`. Must be called on the loop."""
        return Link(self, user, to, frames)

    @property
    def host(self) -> str:
        """The upstream's host name, for logs and pages."""
        return urlsplit(self.url).hostname or ""

    def headers(self, user: str) -> dict[str, str]:
        """The key, and a keyed hash that lets the upstream tell end users apart without knowing them."""
        keyed = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return {**keyed, "OpenAI-Safety-Identifier": self.pseudonyms.upstream(user)}

    def connecting(self, user: str, opened: type[ClientConnection] | Callable[..., Socket]) -> Connect:
        """The handshake, not yet begun; `opened` makes the connection."""
        local = self.host in ("127.0.0.1", "::1", "localhost")
        return Connect(
            self.address,
            additional_headers=self.headers(user),
            create_connection=opened,  # type: ignore[arg-type]  # it is only called
            logger=socket_log,
            compression=None,
            max_size=MAX_FRAME,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            ping_interval=None,  # Socket.keep_alive
            proxy=None if local else True,
            ssl=self.tls if self.url.startswith("wss:") else None,
        )


def _model_in(query: str) -> str:
    return parse_qs(query).get("model", [""])[0]


class Link:
    """One connection: dialled when made, never redialled. It tells LinkEnded exactly once, whatever happens.

    `frames` gives what is to be sent, in order. It is asked when the connection can be written to, once in a turn of
    the loop, so that what waits meanwhile may be joined.
    """

    def __init__(self, upstream: Upstream, user: str, to: Listener, frames: Frames) -> None:
        self._upstream, self._user, self._to, self._frames = upstream, user, to, frames
        self._loop = asyncio.get_running_loop()
        self._socket: Socket | None = None
        self._paused = False  # the listener is behind, and nothing is read
        self._over = asyncio.Event()  # either side closes
        self._task = asyncio.create_task(self._run(), name=f"link to {upstream.host}")
        self._task.add_done_callback(self._tell_end)

    def flush(self) -> None:
        """Write what there is to send, at once; while the connection takes nothing it waits, and audio is joined."""
        if self._write():
            self._loop.call_soon(self.flush)  # when the others had their turns

    def _write(self) -> bool:
        """Write FRAMES_AT_ONCE at most; True if there may be more."""
        socket = self._socket
        if socket is None or not socket.writable:
            return False
        if frames := self._frames():
            socket.write_texts(frames)
        return len(frames) >= FRAMES_AT_ONCE

    def close(self) -> None:
        """Write what there is to send, then close with 1000."""
        self._over.set()

    def abort(self) -> None:
        """End at once: a connect under way is cancelled, what was not written is lost."""
        self._task.cancel()

    def _tell_end(self, task: "asyncio.Task[LinkEnded]") -> None:
        self._release()
        # Not a finally: a task that is cancelled before its first step never enters one.
        if task.cancelled():
            self._to.tell(LinkEnded(1006, "the connection was given up"))
        elif error := task.exception():
            log.error("the link to %s crashed", self._upstream.host, exc_info=error)
            self._to.tell(LinkEnded(1006, "the connection crashed"))
        else:
            self._to.tell(task.result())

    def _release(self) -> None:
        """Drop the socket, which calls us, and what there is to send."""
        socket, self._socket, self._frames = self._socket, None, list
        if socket:
            socket.detach()

    async def _run(self) -> LinkEnded:
        try:
            await self._upstream.turn()
            async with self._upstream.handshakes:
                self._to.tell(LinkBegan())
                socket = await self._upstream.connecting(self._user, self._opened)
        except InvalidStatus as error:
            refused = error.response.status_code in REFUSING_STATUS
            return LinkEnded(3000 if refused else 1006, f"the handshake was answered with {error.response.status_code}")
        except (InvalidURI, SecurityError) as error:  # where it was sent on to; they write down the address as it is
            return LinkEnded(1006, f"could not connect to {self._upstream.host}: {type(error).__name__}")
        except (OSError, TimeoutError, InvalidHandshake) as error:
            return LinkEnded(1006, f"could not connect to {self._upstream.host}: {str(error) or type(error).__name__}")
        try:
            self._socket = cast(Socket, socket)
            self._socket.bound_receive_buffer()
            self._socket.keep_alive(self._upstream.ping_seconds)
            self._socket.forget_handshake()
            return await self._serve(self._socket)
        finally:
            socket.transport.abort()  # nothing to do after a close in order

    def _opened(self, *args: Any, **kwargs: Any) -> Socket:
        """The connection to be; it may have frames for us before the connect is over."""
        socket = Socket(*args, **kwargs)
        socket.on_frame = partial(self._received, socket)
        socket.on_writable = self.flush
        socket.over = self._over
        return socket

    async def _serve(self, socket: Socket) -> LinkEnded:
        """Serve the connection until either side closes it."""
        self.flush()
        await self._over.wait()
        for _ in iter(self._write, False):
            await asyncio.sleep(0)
        await socket.close()
        return LinkEnded(socket.close_code or 1006, socket.close_reason or "")

    def _received(self, socket: Socket, data: bytes) -> None:
        self._to.tell(Frame(data))
        if not self._paused and self._to.backlog >= MOST_UNHANDLED:
            self._paused = True
            socket.transport.pause_reading()
            self._loop.call_soon(self._catch_up, socket)

    def _catch_up(self, socket: Socket) -> None:
        """Read on once the listener has handled what it was told; nothing more is read of a connection that closes."""
        if socket.transport.is_closing():
            return
        if self._to.backlog >= MOST_UNHANDLED:
            self._loop.call_soon(self._catch_up, socket)
            return
        self._paused = False
        socket.read_on()
