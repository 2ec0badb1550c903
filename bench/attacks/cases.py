"""All cases: an attack or a fault of the model, how the server is started, and how long it lasts."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import psutil

from bench.attacks import replies
from bench.attacks.attacker import CALLERS, FIRST
from bench.attacks.neighbours import Neighbours
from bench.load import Load

Fault: TypeAlias = Callable[[Load, Neighbours], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Must:
    """A target, and a function that checks it for a row; it returns None if the figures cannot say it."""

    what: str
    met: Callable[[dict[str, Any]], bool | None]


ISOLATED = Must(
    "p99 ≤ 2 ×, no call lost, memory back in 30 s", lambda row: row["ratio"] <= 2 and not row["lost"] and row["back"]
)
LET_IN = Must("callers are let in within 45 s", lambda row: row["seconds"] <= 45)
SURVIVED = Must("no call lost", lambda row: not row["lost"])
TOLD = Must("callers are told", lambda row: bool(row["told"]))


@dataclass(frozen=True)
class Case:
    """One case. It ends after `seconds`, or earlier if `fault` returns."""

    attack: str = ""
    seconds: float = 8.0
    callers: int = 50
    addresses: int = 1
    patience: float = 5.0
    """Seconds that a new caller waits for an answer."""
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    handles: int = 0
    unread: bool = False
    fault: Fault | None = None
    lengths: Mapping[int, int] = field(default_factory=dict)
    """By caller: words of the replies."""
    must: Must = ISOLATED


async def refused_once(running: Load, neighbours: Neighbours) -> None:
    """The model refuses the key of one connection, then works again. Ends when a new caller is served."""
    await asyncio.sleep(0.5)
    running.upstream.refusals = 1
    while running.upstream.refusals:  # noqa: ASYNC110  # there is no event for it
        await asyncio.sleep(0.1)
    came = len(neighbours.newcomers)
    while not any(one.took and not one.instead for one in neighbours.newcomers[came:]):  # noqa: ASYNC110
        await asyncio.sleep(0.1)


async def stalled(running: Load, neighbours: Neighbours) -> None:
    """The model sends nothing any more, but answers pings."""
    running.upstream.mute = True
    await asyncio.sleep(60)


async def hung(running: Load, neighbours: Neighbours) -> None:
    """Every connection to the model is cut. New ones are opened, but nothing is sent on them, not even pongs."""
    running.upstream.mute = running.upstream.deaf = True
    for line in list(running.upstream.lines):
        line.transport.abort()
    await asyncio.sleep(60)


async def restarted(running: Load, neighbours: Neighbours) -> None:
    """The model is not reachable for 17 s."""
    await running.upstream.close()
    await asyncio.sleep(17)
    await running.upstream.open()
    await asyncio.sleep(60)


async def replaced(running: Load, neighbours: Neighbours) -> None:
    """After three seconds, a decoder dies and five callers lose their upstream connection; both must be replaced."""
    await asyncio.sleep(3)
    for child in running.host.process.children()[:1]:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    for call in list(running.crowd.calls)[:5]:
        running.upstream.kill(call.who, 0.0)
    await asyncio.sleep(60)


LONG_REPLIES = dict.fromkeys(range(FIRST, FIRST + CALLERS), replies.WORDS)
HANDLES = 256
CASES = {
    "nothing": Case(),
    "gzip 60 MB": Case("gzip 60 MB"),
    "gzip 500 MB": Case("gzip 500 MB"),
    "profiles": Case("profiles"),
    "profiles unread": Case("profiles unread"),
    "ended calls": Case("ended calls", lengths=LONG_REPLIES),
    "waiting frames": Case("waiting frames"),
    "waiting frames, 10": Case("waiting frames", addresses=10),
    "waiting parts": Case("waiting parts"),
    "waiting sound": Case("waiting sound"),
    "costly clips, 2": Case("costly clips, 2", seconds=10),
    "costly clips, 10": Case("costly clips, 10", seconds=10, addresses=10),
    "silent lines": Case("silent lines", seconds=12),
    "interrupts": Case("interrupts", seconds=12),
    "silent sockets": Case("silent sockets"),
    "half requests": Case("half requests"),
    "connections": Case("connections"),
    "trials": Case("trials", seconds=75, fault=refused_once, must=LET_IN),
    "model stalled": Case(seconds=30, patience=25, fault=stalled, must=TOLD),
    "model hung": Case(seconds=30, patience=25, fault=hung, must=TOLD),
    "model away for 17 s": Case(seconds=32, patience=25, fault=restarted, must=SURVIVED),
    "unread log": Case("noise", environment={"LOG_LEVEL": "DEBUG"}, unread=True),
    "few handles": Case("silent sockets", callers=20, options=("--sessions", "30"), handles=HANDLES, fault=replaced),
    "too few handles": Case("silent sockets", callers=20, handles=HANDLES, fault=replaced),
}
