"""What is read at the start and again and again: a file, or an https address. The event loop never waits for it."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import aiohttp

from web.auth.refusal import Unfit

log = logging.getLogger(__name__)

T = TypeVar("T")

MOST_BYTES = 512 * 1024
FETCH_SECONDS = 10.0
RENEW_SECONDS = 60.0  # between two readings that somebody asks for
FAULTS = (OSError, ValueError, TimeoutError, aiohttp.ClientError)

Read = Callable[[], Awaitable[bytes]]


class Followed(Generic[T]):
    """The newest `value` that could be read; None before the first. What cannot be read, or parsed, changes nothing.

    `name` is what the log calls it.
    """

    def __init__(self, name: str, read: Read, parse: Callable[[bytes], T], every: float) -> None:
        self.value: T | None = None
        self._name, self._read, self._parse, self._every = name, read, parse, every
        self._raw = b""
        self._fault = ""  # of the last reading
        self._asked_at = -RENEW_SECONDS
        self._reading: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Read it now. Raises one of FAULTS."""
        raw = await self._read()
        if raw != self._raw or self.value is None:
            self.value = await asyncio.to_thread(self._parse, raw)
            self._raw = raw

    async def renew(self) -> None:
        """Read it again, at most once in RENEW_SECONDS; whoever asks meanwhile waits for the same reading."""
        now = asyncio.get_running_loop().time()
        if not self._reading and now - self._asked_at >= RENEW_SECONDS:
            self._asked_at = now
            self._reading = asyncio.create_task(self._try(), name=f"read {self._name}")
            self._reading.add_done_callback(self._read_again)
        if self._reading:
            await asyncio.shield(self._reading)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Read it again every so often, for as long as the context is open."""
        task = asyncio.create_task(self._follow(), name=f"follow {self._name}")
        try:
            yield
        finally:
            for one in (task, self._reading):
                if one:
                    one.cancel()
            await asyncio.wait([one for one in (task, self._reading) if one])

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            await self._try()

    async def _try(self) -> None:
        try:
            await self.load()
        except FAULTS as fault:
            if fault_text(fault) != self._fault:
                self._fault = fault_text(fault)
                log.warning("%s: %s; nothing has changed", self._name, self._fault)
        else:
            if self._fault:
                log.info("%s could be read again", self._name)
            self._fault = ""

    def _read_again(self, reading: asyncio.Task[None]) -> None:
        self._reading = None


def fault_text(fault: BaseException) -> str:
    """What went wrong, without what was read: that may be a secret."""
    if isinstance(fault, OSError) and fault.strerror:
        return fault.strerror
    if isinstance(fault, Unfit):
        return str(fault)
    return f"it could not be read ({type(fault).__name__})"


def from_file(path: Path) -> Read:
    """Reads a file, in a thread. It raises OSError, and ValueError for one that is too large."""

    def read() -> bytes:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        _check(data)
        return data

    return lambda: asyncio.to_thread(read)


def from_address(url: str, tls: ssl.SSLContext | None = None) -> Read:
    """Reads an https address: no redirects, no cookies, no proxy of the environment. Raises Unfit for another."""
    try:
        scheme, host = urlsplit(url).scheme, urlsplit(url).hostname
    except ValueError:  # of brackets that do not fit
        scheme, host = "", None
    if scheme != "https" or not host:
        raise Unfit("the address of the keys begins with https://, and a host")

    async def read() -> bytes:
        timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session,
            session.get(url, allow_redirects=False, ssl=tls or True, headers={"Accept-Encoding": "identity"}) as answer,
        ):
            if answer.status != 200:
                raise Unfit(f"{host} answered {answer.status}")
            body = bytearray()
            async for piece in answer.content.iter_chunked(65536):
                body += piece
                _check(body)
            return bytes(body)

    return read


def _check(data: bytes | bytearray) -> None:
    if len(data) > MOST_BYTES:
        raise Unfit(f"it has more than {MOST_BYTES} bytes")
