"""Asks a judge model whether a caller may be in danger: an OpenAI-compatible chat server of the owner's choice.

Nobody waits for it: each question is a task with a time limit, and a judge that is away costs that question alone.
Redirects are not followed, so that key and words go to the address that was named and no further. The log has neither.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from math import inf
from urllib.parse import urlsplit

import aiohttp

from actors.caring.judging import Talk
from actors.counters import Counters
from actors.messages.guardian import Judged
from care.judging import NoJudgement, judgement, question
from care.signs import Worried

log = logging.getLogger(__name__)

SECONDS = 10.0  # for an answer: later than the next turn of the talk it is of little use
MOST_BYTES = 64 * 1024  # of an answer
QUIET_SECONDS = 60.0  # between two warnings: a judge that answers every other question fills no log
CLOSE_SECONDS = 1.0  # for the tasks that were given up


class NoAnswer(Exception):
    """The judge gave no answer that can be used; the message is for the log."""


@dataclass(frozen=True, slots=True)
class JudgeServer:
    """Where the judge is: the base URL of its API (`https://api.openai.com/v1`), its model, and a key or none."""

    url: str
    model: str
    key: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        """For the log: a URL may hold more."""
        return urlsplit(self.url).hostname or ""


class JudgeClient:
    """Implements Judge of actors/caring. Asks about one call once in `pause` seconds, `at_once` questions of all."""

    def __init__(
        self,
        server: JudgeServer,
        client: aiohttp.ClientSession,
        counters: Counters,
        pause: float,
        at_once: int,
        seconds: float = SECONDS,
    ) -> None:
        self.pause = pause
        self._server, self._client, self._counters = server, client, counters
        self._at_once, self._timeout = at_once, aiohttp.ClientTimeout(total=seconds)
        self._open: set[asyncio.Task[tuple[Worried, ...]]] = set()
        self._fault = ""  # that was logged last, while it lasts
        self._quiet_until = -inf

    def ask(self, talk: Talk, tell: Callable[[Judged], None]) -> Callable[[], None] | None:
        """As of Judge."""
        if len(self._open) >= self._at_once:
            self._counters.judged["full"] += 1
            return None
        task = asyncio.get_running_loop().create_task(self._ask(talk), name="a question to the judge")
        self._open.add(task)
        task.add_done_callback(partial(self._answered, tell))
        return partial(_give_up, task)

    async def close(self) -> None:
        """Give up all that is open."""
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open, timeout=CLOSE_SECONDS)

    async def _ask(self, talk: Talk) -> tuple[Worried, ...]:
        body = json.dumps(question(self._server.model, talk)).encode()
        return tuple(judgement(await self._post(body)))

    def _answered(self, tell: Callable[[Judged], None], task: "asyncio.Task[tuple[Worried, ...]]") -> None:
        self._open.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        found = () if error else task.result()
        self._counters.judged[_outcome(error, found)] += 1
        self._say(_fault(error))
        tell(Judged(found))

    async def _post(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if self._server.key:
            headers["Authorization"] = f"Bearer {self._server.key}"
        url = f"{self._server.url.rstrip('/')}/chat/completions"
        async with self._client.post(
            url, data=body, headers=headers, timeout=self._timeout, allow_redirects=False
        ) as answer:
            if answer.status != 200:
                raise NoAnswer(f"it answered {answer.status}")
            read = bytearray()
            async for piece in answer.content.iter_chunked(16 * 1024):
                read += piece
                if len(read) > MOST_BYTES:
                    raise NoAnswer(f"its answer has more than {MOST_BYTES} bytes")
            return bytes(read)

    def _say(self, fault: str) -> None:
        """Once for each change, not for each question, and what goes wrong only so often."""
        now = asyncio.get_running_loop().time()
        if fault and fault != self._fault and now >= self._quiet_until:
            log.warning("the judge %s: %s; the word lists go on without it", self._server.host, fault)
            self._fault, self._quiet_until = fault, now + QUIET_SECONDS
        elif self._fault and not fault:
            log.info("the judge %s answers again", self._server.host)
            self._fault = ""


@asynccontextmanager
async def judge_client(
    server: JudgeServer, counters: Counters, pause: float, at_once: int, seconds: float = SECONDS
) -> AsyncIterator[JudgeClient]:
    """A client while the context is open: no cookies, no proxy of the environment, no unpacking."""
    connector = aiohttp.TCPConnector(limit=at_once)
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(connector=connector, cookie_jar=jar, auto_decompress=False) as client:
        judge = JudgeClient(server, client, counters, pause, at_once, seconds)
        try:
            yield judge
        finally:
            await judge.close()


def _give_up(task: "asyncio.Task[tuple[Worried, ...]]") -> None:
    task.cancel()


def _outcome(error: BaseException | None, found: tuple[Worried, ...]) -> str:
    """As it is counted."""
    if isinstance(error, TimeoutError):
        return "late"
    return "failed" if error else "worried" if found else "calm"


def _fault(error: BaseException | None) -> str:
    """What the log says: of errors that are not ours only the kind, as their text may quote what was sent."""
    match error:
        case None:
            return ""
        case TimeoutError():
            return "no answer in time"
        case NoAnswer() | NoJudgement():
            return str(error)
        case _:
            return type(error).__name__
