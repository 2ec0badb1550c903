"""Measures waiting times and memory of a server with the local engine: `python -m bench calls`.

First callers one after another: each connects, waits for the greeting, and sends one clip. Then several crowds: each
caller sends a clip every ten seconds, whether or not the one before was answered.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil

from bench.report import Part
from cli.child_server import serving
from phone import CallFailed, Phone

CLIPS = Path(__file__).parents[1] / "clips"
CALLERS = (
    ("tina_kulkarni_vedic_marriage", "hi_marriage_delay.m4a"),
    ("mohit_vedic_marriage", "en_proposal.m4a"),
    ("harsh_dubey_vedic_love", "hi_love_me.m4a"),
    ("priyanka_vedic_love", "en_come_back.m4a"),
)
EVERY = 10.0  # seconds from clip to clip of one caller
PATIENT = 2.0  # seconds: after a longer silence callers believe that nobody is there


def run(number: int, crowds: Sequence[int] = (20, 40)) -> list[Part]:
    """Measure a number of calls one after another, then each crowd for a minute."""
    return asyncio.run(_measure(number, crowds))


async def _measure(number: int, crowds: Sequence[int]) -> list[Part]:
    async with serving() as server:
        before = _memory(server.pid)
        waits = [await _call(server.url, *CALLERS[turn % len(CALLERS)]) for turn in range(number)]
        after = _memory(server.pid)
        crowded = Part("calls, crowds", [await crowd(server.url, callers, 60.0) for callers in crowds])
    waiting, memory = Part("calls"), Part("calls, memory")
    for name, column in zip(
        ("connect to greeting audio", "end of clip to reply audio"), zip(*waits, strict=True), strict=True
    ):
        p95 = quantiles(column, n=20)[-1]
        waiting.rows.append({"wait": name, "p50_s": round(median(column), 2), "p95_s": round(p95, 2)})
    for name, held in before.items():
        memory.rows.append({"rss_mb": name, "before": round(held), f"after {number}": round(after.get(name, 0))})
    return [waiting, memory, crowded]


async def _call(url: str, astrologer: str, clip: str) -> tuple[float, float]:
    began = time.perf_counter()
    async with Phone(url, f"bench-{astrologer}") as phone:
        await phone.choose(astrologer)
        greeting = await phone.answer(began)
        reply = await phone.ask((CLIPS / clip).read_bytes())
        await phone.say(type="end")
        await phone.closed()
    return greeting.seconds, reply.seconds


async def crowd(url: str, callers: int, seconds: float) -> dict[str, Any]:
    """Measure so many callers, each with a clip every ten seconds: their waiting times, and the codes of errors."""
    waits: list[float] = []
    told: Counter[str] = Counter()
    async with asyncio.TaskGroup() as group:
        for number in range(callers):
            group.create_task(_often(url, number, callers, seconds, waits, told))
    cuts = quantiles(waits, n=20) if len(waits) > 1 else [0.0] * 19
    shown = {"callers": callers, "answered": len(waits), "p50_s": round(cuts[9], 2), "p95_s": round(cuts[18], 2)}
    return {**shown, "within 2 s": cuts[18] <= PATIENT, "told": ", ".join(f"{code} {n}" for code, n in told.items())}


async def _often(  # all of it is one caller's
    url: str, number: int, callers: int, seconds: float, waits: list[float], told: Counter[str]
) -> None:
    astrologer, clip = CALLERS[number % len(CALLERS)]
    sound, loop = (CLIPS / clip).read_bytes(), asyncio.get_running_loop()
    turn = loop.time() + EVERY * (1 + number * 7 % callers / callers)  # spread over the ten seconds, not in order
    end = turn + seconds
    await asyncio.sleep(turn - loop.time() - EVERY)
    async with Phone(url, f"crowd-{number}") as phone:
        await phone.choose(astrologer)
        try:
            await phone.answer()
        except CallFailed as refused:
            told[f"{refused.code} at the greeting"] += 1
        while turn < end:
            await asyncio.sleep(turn - loop.time())
            try:
                waits.append((await phone.ask(sound)).seconds)
            except CallFailed as refused:
                told[refused.code] += 1
            turn += EVERY
        await phone.say(type="end")
        await phone.closed()


def _memory(server: int) -> dict[str, float]:
    """Resident MB by process: the server, the engine, the decoders."""
    held = {"server": psutil.Process(server).memory_info().rss / 1e6}
    decoders = 0
    for child in psutil.Process(server).children(recursive=True):
        engine = "engine" in child.cmdline()
        decoders += not engine
        held["local engine" if engine else f"decoder {decoders}"] = child.memory_info().rss / 1e6
    return held
