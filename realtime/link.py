"""The one file that moves upstream bytes: a WebSocket that is dialled once, and tells what happens to it."""

import asyncio
import hashlib
import logging
import ssl
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.uri import parse_uri

from realtime.events import Frame, LinkEnded, LinkEvent, LinkUp

log = logging.getLogger(__name__)
socket_log = log.getChild("socket")
socket_log.setLevel(logging.INFO)  # below it websockets writes down every header, and so our key

OPEN_SECONDS = 10.0  # connecting takes 0.8 to 2.1 s at OpenAI
CLOSE_SECONDS = 1.0
STALL_SECONDS = 2.0  # an uplink that takes nothing for so long is lost
MAX_FRAME = 16 * 2**20
REFUSING_STATUS = (401, 403)  # other servers check the key before the 101; as the close code 3000
HANDSHAKES = 20  # at most so many at once: a storm of connects helps nobody
READ_FRAMES = 20  # then the other tasks get the loop
READ_SECONDS = 0.001
MOST_UNHANDLED = 64  # frames that wait for the listener; then TCP holds the upstream back


class Listener(Protocol):
    """What a link is handed to tell; `backlog` is how much it was told and has not handled yet."""

    @property
    def backlog(self) -> int: ...

    def tell(self, message: LinkEvent, /) -> None: ...


def check_url(url: str) -> str:
    """The address, if a WebSocket can be opened there; raises ValueError with what is wrong."""
    try:
        parse_uri(url)
        usable = bool(urlsplit(url).hostname) and urlsplit(url).port != 0
    except (InvalidURI, ValueError):
        usable = False
    if not usable:
        raise ValueError(f"{url!r} is no WebSocket address: write one such as wss://HOST/v1/realtime")
    return url


@dataclass(frozen=True)
class Upstream:
    """Where the model is: one per process. `url` is the WebSocket address without its query; `key` is never shown."""

    url: str
    model: str
    key: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    handshakes: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(HANDSHAKES), repr=False)

    def dial(self, user: str, to: Listener) -> "Link":
        """Open a connection of this user's own; what becomes of it is told to `to`. Must be called on the loop."""
        return Link(self, user, to)

    @property
    def host(self) -> str:
        """The upstream's host name, for logs and pages."""
        return urlsplit(self.url).hostname or ""

    def headers(self, user: str) -> dict[str, str]:
        """The key, and a stable hash that lets the upstream tell end users apart without knowing them."""
        identifier = hashlib.sha256(user.encode()).hexdigest()[:32]
        keyed = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return {**keyed, "OpenAI-Safety-Identifier": identifier}

    def connecting(self, user: str) -> connect:
        """The handshake, not yet begun. The API pings by itself, about every 20 s."""
        local = self.host in ("127.0.0.1", "::1", "localhost")
        return connect(
            f"{self.url}?{urlencode({'model': self.model})}",
            additional_headers=self.headers(user),
            logger=socket_log,
            compression=None,
            max_size=MAX_FRAME,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            proxy=None if local else True,
            ssl=self.tls if self.url.startswith("wss:") else None,
        )


class Link:
    """One connection: dialled when made, never redialled. It tells LinkEnded exactly once, whatever happens."""

    def __init__(self, upstream: Upstream, user: str, to: Listener) -> None:
        self._upstream, self._user, self._to = upstream, user, to
        self._waiting: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._task = asyncio.create_task(self._run(), name=f"link to {upstream.host}")
        self._task.add_done_callback(self._tell_end)

    def send(self, frames: list[bytes]) -> None:
        """Queue frames of JSON, to be written in this order once the connection is open."""
        self._waiting.extend(frames)
        self._wake.set()

    def close(self) -> None:
        """Write what is queued, then close with 1000."""
        self._closing = True
        self._wake.set()

    def abort(self) -> None:
        """End at once: a connect under way is cancelled, what is queued is lost."""
        self._task.cancel()

    def _tell_end(self, task: "asyncio.Task[LinkEnded]") -> None:
        # Not a finally: a task that is cancelled before its first step never enters one.
        if task.cancelled():
            self._to.tell(LinkEnded(1006, "the connection was given up"))
        elif error := task.exception():
            log.error("the link to %s crashed", self._upstream.host, exc_info=error)
            self._to.tell(LinkEnded(1006, "the connection crashed"))
        else:
            self._to.tell(task.result())

    async def _run(self) -> LinkEnded:
        try:
            async with self._upstream.handshakes:
                socket = await self._upstream.connecting(self._user)
        except InvalidStatus as error:
            refused = error.response.status_code in REFUSING_STATUS
            return LinkEnded(3000 if refused else 1006, f"the handshake was answered with {error.response.status_code}")
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
            return LinkEnded(1006, f"could not connect to {self._upstream.host}: {error or type(error).__name__}")
        try:
            return await self._converse(socket)
        finally:
            socket.transport.abort()  # nothing to do after a close in order

    async def _converse(self, socket: ClientConnection) -> LinkEnded:
        self._to.tell(LinkUp())
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(self._write(socket), name="link writer")
            await self._read(socket)
            writing.cancel()
        return LinkEnded(socket.close_code or 1006, socket.close_reason or "")

    async def _read(self, socket: ClientConnection) -> None:
        frames, enough = 0, time.perf_counter() + READ_SECONDS
        try:
            while True:
                self._to.tell(Frame(str(await socket.recv())))
                frames += 1
                if frames == READ_FRAMES or time.perf_counter() > enough or self._to.backlog >= MOST_UNHANDLED:
                    await self._room()
                    frames, enough = 0, time.perf_counter() + READ_SECONDS
        except ConnectionClosed:
            return

    async def _room(self) -> None:
        """Let the others have the loop, and stop reading until the listener has caught up."""
        while True:
            await asyncio.sleep(0)
            if self._to.backlog < MOST_UNHANDLED:
                return

    async def _write(self, socket: ClientConnection) -> None:
        try:
            while not self._closing or self._waiting:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting:
                    async with asyncio.timeout(STALL_SECONDS):
                        await socket.send(self._waiting.popleft(), text=True)
            await socket.close()
        except ConnectionClosed:
            return
        except TimeoutError:
            socket.transport.abort()
