"""Measures isolation: the latency of fifty callers while another one causes trouble.

The troubles: flooding, broken clips, an upstream connection that is lost every second, reading nothing. The
figure is the 99th percentile of the others' uplink, compared with the seconds just before.
"""

import asyncio
import itertools
import random
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import orjson

from bench import frames
from bench.callers import Call, Crowd
from bench.load import Load, load
from bench.report import Part, Target

NEIGHBOURS = 50
FIRST = 60_000  # the numbers of the troublesome callers
FLOOD = b"".join(frames.frame(frames.BINARY, bytes(20 + odd), masked=True) for _ in range(5) for odd in (0, 1))
CLIP = (Path(__file__).parents[1] / "clips" / "en_proposal.m4a").read_bytes()
MOST_WAITING = 2**20
Trouble: TypeAlias = Callable[[Load, Crowd, int], Coroutine[Any, Any, None]]


async def run(seconds: float, kind: str = "server", say: Callable[[str], None] = print) -> list[Part]:
    """Measure all troubles, one after another."""
    part = Part("isolation")
    async with load(kind) as running:
        await running.crowd.resize(NEIGHBOURS)
        await asyncio.sleep(2)
        for name, trouble in TROUBLES.items():
            before = await running.measure(seconds)
            async with _meanwhile(trouble, running):
                await asyncio.sleep(0.5)
                during = await running.measure(seconds)
            await asyncio.sleep(1)
            ratio = round(during.up_p99 / before.up_p99, 2)
            part.rows.append({
                "trouble": name, "before_p99": before.up_p99, "during_p99": during.up_p99, "ratio": ratio,
                "before_down_p99": before.down_p99, "during_down_p99": during.down_p99, "cpu": during.cpu,
                "load_cpu": during.load_cpu, "invalid": during.why_invalid or before.why_invalid,
            })  # fmt: skip
            got = f"{before.up_p99} → {during.up_p99} ms: {ratio} ×"
            part.targets.append(Target(f"others' p99 while one {name}", "≤ 2 ×", got, ratio <= 2))
            say(f"one {name}: {got} {during.why_invalid}")
    return [part]


@asynccontextmanager
async def _meanwhile(trouble: Trouble, running: Load) -> AsyncIterator[None]:
    crowd = Crowd(running.host.port, first=FIRST)
    running.upstream.disturbed.update(range(FIRST, FIRST + 5000))
    task = asyncio.ensure_future(_again(trouble, running, crowd))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await crowd.close()


async def _again(trouble: Trouble, running: Load, crowd: Crowd) -> None:
    """Call again whenever a call ends, or is refused."""
    who = FIRST
    while True:
        with suppress(OSError):
            await trouble(running, crowd, who)
        who += 1
        await asyncio.sleep(0.1)


async def _flood(running: Load, crowd: Crowd, who: int) -> None:
    """Send frames of 20 and 21 bytes, 10,000 a second, as long as the socket accepts them."""
    call = await crowd.call(speaking=False, who=who)
    while not call.done.done():
        if call.transport.get_write_buffer_size() < MOST_WAITING // 16:
            call.transport.write(FLOOD)
        await asyncio.sleep(0.001)


async def _poison(running: Load, crowd: Crowd, who: int) -> None:
    """Send broken clips: 1 MB of noise, a valid header with a scrambled body, a truncated clip."""
    call = await crowd.call(speaking=False, who=who, mode="clip")
    for poison in itertools.cycle(POISON):
        if call.done.done():
            return
        if call.transport.get_write_buffer_size() < MOST_WAITING:
            call.transport.write(poison)
        await asyncio.sleep(0.1)


def _poisons() -> Iterator[bytes]:
    body = bytearray(CLIP)
    for _ in range(200):
        body[random.randrange(64, len(body))] = random.randrange(256)
    for clip in (random.randbytes(2**20), bytes(body), CLIP[: len(CLIP) // 2]):
        message = orjson.dumps({"type": "audio", "audio": b64encode(clip).decode()})
        yield frames.frame(frames.TEXT, message, masked=True)


POISON = tuple(_poisons())


async def _crash(running: Load, crowd: Crowd, who: int) -> None:
    """Cut the upstream connection every second."""
    call = await crowd.call(who=who)
    while not call.done.done():
        await asyncio.sleep(1)
        running.upstream.kill(who, 0.0)


async def _deaf(running: Load, crowd: Crowd, who: int) -> None:
    """Speak all the time, and read nothing."""
    call: Call = await crowd.call(who=who)
    call.transport.pause_reading()
    call.every = 0
    while not call.done.done():
        call.speak(0.2)
        await asyncio.sleep(1)


TROUBLES = {"floods": _flood, "sends poison": _poison, "loses the model every second": _crash, "reads nothing": _deaf}
