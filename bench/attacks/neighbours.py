"""Well-behaved clients during an attack: newcomers, one each second, and some callers who send clips."""

import asyncio
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.callers import Call, Crowd
from bench.load import at
from bench.marks import now

CLIP = b64encode((Path(__file__).parents[2] / "clips" / "en_proposal.m4a").read_bytes()).decode()
NEWCOMERS, SENDERS = range(50_000, 55_000), range(55_000, 55_003)
"""Their caller numbers."""
CLIP_SECONDS = 2.0  # from one recording to the next
CLIP_PATIENCE = 20.0
ORDINARY = ("minute", "switching")
WORDS = 3  # of the answers that they get


@dataclass
class Try:
    """One request of a client: when it began, how long it took, and the error received instead. In seconds."""

    began: float
    took: float | None = None
    first_word: float | None = None
    instead: str = ""

    def wait(self, until: float) -> float:
        """The seconds that it took, or has taken until now."""
        return until - self.began if self.took is None else self.took


@dataclass
class Neighbours:
    """Runs the clients, and records their requests."""

    crowd: Crowd
    patience: float
    newcomers: list[Try] = field(default_factory=list)
    clips: list[Try] = field(default_factory=list)

    @asynccontextmanager
    async def meanwhile(self) -> AsyncIterator[None]:
        """Run the clients within the context."""
        tasks: set[asyncio.Task[None]] = set()

        def begin(work: Coroutine[Any, Any, None]) -> None:
            tasks.add(task := asyncio.create_task(work))
            task.add_done_callback(tasks.discard)

        async def come() -> None:
            for who in NEWCOMERS:
                begin(self._come(who))
                await asyncio.sleep(1)

        for who in SENDERS:
            begin(self._send(who))
        begin(come())
        try:
            yield
        finally:
            for task in (left := list(tasks)):
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _come(self, who: int) -> None:
        """Call, wait until the persona is on the line, and hang up."""
        self.newcomers.append(one := Try(now() / 1e6))
        try:
            async with asyncio.timeout(self.patience):
                call = await self.crowd.dial(who)
        except (OSError, TimeoutError) as error:
            one.took, one.instead = now() / 1e6 - one.began, type(error).__name__
            return
        try:
            await asyncio.wait([call.acked], timeout=self.patience)
            one.took = now() / 1e6 - one.began
            one.first_word = min((when for when, _ in call.events), default=None)
            if not (call.acked.done() and call.acked.result()):
                one.instead = said(call) or "nothing"
        finally:
            call.transport.abort()

    async def _send(self, who: int) -> None:
        while True:
            try:
                await self._talk(await self.crowd.call(speaking=False, who=who, mode="clip"))
            except (OSError, TimeoutError):
                await asyncio.sleep(1)

    async def _talk(self, call: Call) -> None:
        await call.until(lambda: _answered(call, 0), CLIP_PATIENCE)
        while not call.done.done():
            await self._one(call)
            await asyncio.sleep(CLIP_SECONDS)

    async def _one(self, call: Call) -> None:
        before = len(call.events)
        self.clips.append(one := Try(now() / 1e6))
        call.say(type="audio", audio=CLIP)
        with suppress(TimeoutError):
            await call.until(lambda: _answered(call, before), CLIP_PATIENCE)
        one.took = now() / 1e6 - one.began
        if not any(event["type"] == "audio_response" for _, event in call.events[before:]):
            one.instead = said(call, one.began) or "nothing"


def _answered(call: Call, before: int) -> bool:
    return any(event["type"] in ("audio_response", "error") for _, event in call.events[before:])


def said(call: Call, since: float = 0.0) -> str:
    """The codes of errors, notices and closes that a caller received, or the HTTP status that refused the call."""
    if call.status not in ("", "101"):
        return call.status
    return " ".join(words(event) for when, event in call.events if when >= since and words(event))


def words(event: dict[str, Any]) -> str:
    """The code of an error, notice or close; empty for ordinary events."""
    says = event["type"] in ("error", "notice", "close") and event["code"] not in ORDINARY
    return str(event["code"]) if says else ""


def summary(tries: Iterable[Try], since: float, until: float) -> dict[str, Any]:
    """Of the requests that began between two times: how many were served, their waits in ms, errors of the others."""
    ours = [one for one in tries if since <= one.began < until]
    waits = [round(one.wait(until) * 1e6) for one in ours]
    instead = Counter(one.instead or "no answer yet" for one in ours if one.instead or one.took is None)
    served = len(ours) - instead.total()
    return {"of": len(ours), "served": served, "p50": at(waits, 0.5), "p99": at(waits, 0.99), "instead": dict(instead)}
