"""How long a caller waits, and what the processes hold: `python -m bench.calls`.

A server with the local engine, callers one after another: each connects, hears the greeting, plays one clip.
"""

import asyncio
import time
from pathlib import Path
from statistics import median, quantiles

import psutil

from actors.testing.phone import Phone
from cli.serving import serving

CLIPS = Path(__file__).parents[1] / "clips"
CALLS = 20
CALLERS = (
    ("tina_kulkarni_vedic_marriage", "hi_marriage_delay.m4a"),
    ("mohit_vedic_marriage", "en_proposal.m4a"),
    ("harsh_dubey_vedic_love", "hi_love_me.m4a"),
    ("priyanka_vedic_love", "en_come_back.m4a"),
)


def main() -> None:
    """Print one table."""
    asyncio.run(_measure())


async def _measure() -> None:
    async with serving() as server:
        before = _memory(server.pid)
        waits = [await _call(server.url, *CALLERS[number % len(CALLERS)]) for number in range(CALLS)]
        after = _memory(server.pid)
    print(f"{'wait, seconds':32}{'p50':>8}{'p95':>8}")
    for name, column in zip(
        ("connect to greeting audio", "end of clip to reply audio"), zip(*waits, strict=True), strict=True
    ):
        print(f"{name:32}{median(column):8.2f}{quantiles(column, n=20)[-1]:8.2f}")
    print(f"\n{'memory (RSS), MB':32}{'before':>8}{'after':>8}   {CALLS} calls")
    for name in before:
        print(f"{name:32}{before[name]:8.0f}{after.get(name, 0):8.0f}")


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


if __name__ == "__main__":
    main()
