"""How long a caller waits, and what the processes hold: `python -m bench calls`.

A server with the local engine, callers one after another: each connects, hears the greeting, plays one clip.
"""

import asyncio
import time
from pathlib import Path
from statistics import median, quantiles

import psutil

from bench.report import Part
from cli.child_server import serving
from phone import Phone

CLIPS = Path(__file__).parents[1] / "clips"
CALLERS = (
    ("tina_kulkarni_vedic_marriage", "hi_marriage_delay.m4a"),
    ("mohit_vedic_marriage", "en_proposal.m4a"),
    ("harsh_dubey_vedic_love", "hi_love_me.m4a"),
    ("priyanka_vedic_love", "en_come_back.m4a"),
)


def run(number: int) -> list[Part]:
    """So many calls."""
    return asyncio.run(_measure(number))


async def _measure(number: int) -> list[Part]:
    async with serving() as server:
        before = _memory(server.pid)
        waits = [await _call(server.url, *CALLERS[turn % len(CALLERS)]) for turn in range(number)]
        after = _memory(server.pid)
    waiting, memory = Part("calls"), Part("calls, memory")
    for name, column in zip(
        ("connect to greeting audio", "end of clip to reply audio"), zip(*waits, strict=True), strict=True
    ):
        p95 = quantiles(column, n=20)[-1]
        waiting.rows.append({"wait": name, "p50_s": round(median(column), 2), "p95_s": round(p95, 2)})
    for name, held in before.items():
        memory.rows.append({"rss_mb": name, "before": round(held), f"after {number}": round(after.get(name, 0))})
    return [waiting, memory]


async def _call(url: str, astrologer: str, clip: str) -> tuple[float, float]:
    began = time.perf_counter()
    async with Phone(url, f"bench-{astrologer}") as phone:
        await phone.choose(astrologer)
        greeting = await phone.answer(began)
        reply = await phone.ask((CLIPS / clip).read_bytes())
        await phone.say(type="end")
        await phone.closed()
    return greeting.seconds, reply.seconds


def _memory(server: int) -> dict[str, float]:
    """MB by process: the server, the engine, the decoders."""
    held = {"server": psutil.Process(server).memory_info().rss / 1e6}
    decoders = 0
    for child in psutil.Process(server).children(recursive=True):
        engine = "engine" in child.cmdline()
        decoders += not engine
        held["local engine" if engine else f"decoder {decoders}"] = child.memory_info().rss / 1e6
    return held
