"""Measures how callers fare when their server ends and another takes their calls: 200 calls, and a SIGTERM to it.

Two servers of a fleet, a redis-server of their own and the fake model, which speaks in sentences of eight words of 200
ms, four times as fast as they play. Each caller asks, hears the answer, and asks again after a pause of up to ten
seconds. They come back within half a second of the close, as clients do. Every word has a mark, so that those that are
cut, repeated or lost are counted.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from psutil import cpu_times_percent

from bench.load import at
from bench.marks import now, user
from bench.moving_caller import SENTENCE, WORDS, Caller
from bench.redis_server import redis
from bench.report import Part, Target
from bench.server_process import UNLIMITED, ServerProcess, Start, server_process
from bench.upstream import Upstream

PROGRAM = shutil.which("redis-server")
CALLERS, AT_ONCE = 200, 10
PERSONAS = ("mohit_vedic_marriage", "tina_kulkarni_vedic_marriage")
MODEL: dict[str, Any] = {"words": WORDS, "sentence": SENTENCE, "gap": 0.05, "thinking": 0.3}
OPENS_A_SECOND = 20.0  # fewer than calls are told to move: so they wait for each other
DRAIN_SECONDS = 60
LOOK_SECONDS = 0.02
SLACK_SECONDS = 0.1  # of clocks: Redis goes by the wall's


@dataclass
class Moves:
    """What became of all callers; times in seconds since the signal.

    `opened`: when connections to the model were asked for, of which there may be `a_second`. `ended`: the server did.
    """

    callers: list[Caller]
    began: float
    ended: float
    opened: list[float]
    a_second: float

    @property
    def early(self) -> float:
        """By how many seconds a connection was opened before its turn, at most; 0 if none was."""
        turns = (number / self.a_second for number in range(len(self.opened)))
        return max(0.0, *(turn - opened for turn, opened in zip(turns, self.opened, strict=True)))

    @property
    def most_waiting(self) -> int:
        """How many callers waited for their turn at the same time, at most."""
        steps = [(one.resumed_at - self.began, 1) for one in self.callers] + [(at, -1) for at in self.opened]
        return max(accumulate(step for _, step in sorted(steps)))

    @property
    def wrong(self) -> Counter[str]:
        """Words of all callers that were lost, repeated or of others."""
        total = Counter[str]()
        for caller in self.callers:
            total.update(caller.wrong())
        return total

    @property
    def cuts(self) -> list[str]:
        """Whose sentence was cut, and where."""
        return [f"{one.user}: {one.cut}" for one in self.callers if one.cut]

    @property
    def strangers(self) -> list[str]:
        """Whose model does not know in the end what they said, each of it once and in its order."""
        return [one.user for one in self.callers if one.known != one.asked]


@asynccontextmanager
async def node(name: str, upstream: Upstream, register: str) -> AsyncIterator[ServerProcess]:
    """A server of the fleet."""
    options = [*UNLIMITED, "--node", name, "--drain-seconds", str(DRAIN_SECONDS)]
    options += ["--upstream-opens-a-second", str(OPENS_A_SECOND)]
    environment = {"REGISTER_URL": register, "UPSTREAM_API_KEY": "bench"}
    start = Start(options=options, environment=environment, pinned=False)
    async with server_process("server", f"ws://127.0.0.1:{upstream.port}/v1/realtime", start=start) as one:
        yield one


async def measure(callers: int) -> Moves:
    """Move so many calls. Raises OSError, TimeoutError, CallEnded."""
    if not PROGRAM:
        raise OSError("no redis-server: apt-get install redis-server")
    upstream = Upstream(**MODEL)
    await upstream.open()
    try:
        with redis() as register:
            async with node("a", upstream, register) as a, node("b", upstream, register) as b:
                return await _move(upstream, a, b, callers)
    finally:
        await upstream.close()


async def _move(upstream: Upstream, a: ServerProcess, b: ServerProcess, callers: int) -> Moves:
    gate, there = asyncio.Semaphore(AT_ONCE), f"ws://127.0.0.1:{a.port}"
    query, pings = {"mode": "stream"}, {"ping_interval": None}  # a busy machine is no lost line
    phones = [Caller(there, user(who), query, keepalive=pings, who=who) for who in range(1, callers + 1)]
    async with asyncio.TaskGroup() as calls:
        for phone in phones:
            calls.create_task(_call(phone, gate, upstream))
        for phone in phones:
            await phone.ready.wait()
        for phone in phones:
            phone.url = f"ws://127.0.0.1:{b.port}"
        began = now() / 1e6
        a.process.terminate()
        while a.process.is_running():  # noqa: ASYNC110  # the loop has it reaped
            await asyncio.sleep(LOOK_SECONDS)
        ended = now() / 1e6 - began
    opened = sorted(at - began for at in upstream.dialled.values())
    return Moves(phones, began, ended, [at for at in opened if at >= 0.0], OPENS_A_SECOND)


async def _call(phone: Caller, gate: asyncio.Semaphore, upstream: Upstream) -> None:
    """One call, from the greeting to the end."""
    async with AsyncExitStack() as stack:
        async with gate:
            await stack.enter_async_context(phone)
            await phone.choose(PERSONAS[phone.who % len(PERSONAS)], mode="stream")
        group = await stack.enter_async_context(asyncio.TaskGroup())
        group.create_task(phone.listens())
        await phone.hears()
        await phone.talks()
        items = upstream.live[phone.who].model.history
        phone.known = [words for role, words in items if role == "user"]
        phone.over = True
        await phone.say(type="end")


async def run(callers: int = CALLERS, say: Callable[[str], None] = print) -> list[Part]:
    """Measure the move of so many calls. Raises as `measure`."""
    part = Part("moves")
    cpu_times_percent(None)
    moves = await measure(callers)
    busy = 100.0 - cpu_times_percent(None).idle
    times = {
        "from the signal until the caller is told": [one.told_at - moves.began for one in moves.callers],
        "from the signal until they are back": [one.resumed_at - moves.began for one in moves.callers],
        "from the close until they are back": [one.resumed_at - one.told_at for one in moves.callers],
        "from the close until the model is there": [one.model_at - one.told_at for one in moves.callers],
        "of silence in an answer that moved": [one.silence for one in moves.callers if one.silence],
    }
    for what, seconds in times.items():
        us = [round(one * 1e6) for one in seconds]
        figures = {name: f"{at(us, share) / 1000:.2f}" for name, share in (("p50", 0.5), ("p95", 0.95), ("max", 1.0))}
        part.rows.append({"seconds": what, "callers": len(seconds), **figures})
    wrong, codes = moves.wrong, Counter(int(one.close[0]) for one in moves.callers)
    part.notes = [
        f"the server ended after {moves.ended:.1f} s; close codes {dict(codes)}; the machine was busy for {busy:.0f} %",
        f"at most {moves.most_waiting} callers waited for a connection to the model",
    ]
    part.targets = [
        Target("calls lost", "0", str(len(moves.strangers)), not moves.strangers),
        Target("sentences cut", "0", str(len(moves.cuts)), not moves.cuts),
        Target("words repeated, lost, foreign", "0, 0, 0", str(dict(wrong)), not wrong.total()),
        Target("openings before their turn", "0 s", f"{moves.early:.2f} s", moves.early < SLACK_SECONDS),
    ]
    say(f"{callers} calls moved")
    return [part]
