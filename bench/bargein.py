"""Measures barge-in behind a slow line, and the time until another persona speaks.

Barge-in: from the first frame of the caller's speech to the `clear` at the caller, including a line of 600 kbit/s with
80 ms round trip; the model detects speech at once. Switch: from the `config` message to the first word in the new
voice, with an upstream connection that takes 1.2 s to open. After `config_ack`, no word of the old voice may come.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Any

from bench.callers import Call, Crowd
from bench.load import Load, at, load
from bench.marks import VOICES, now
from bench.report import Part, Target
from bench.slow_line import slow_line

SILENCE_MS = 150.0
OPENING = 1.2
GRACE_MS = 50.0
SWITCHES = 5  # in a minute: one less than a caller may make
OTHERS = (("mohit_vedic_marriage", "cedar"), ("tina_kulkarni_vedic_marriage", "marin"))


async def run(times: int, kind: str = "server", say: Callable[[str], None] = print) -> list[Part]:
    """Measure both, so many times. Raises OSError if the server does not start."""
    async with load(kind) as running:
        async with slow_line(running.host.port) as port:
            crowd = Crowd(port)
            silences = [silence for _ in range(times) if (silence := await _break_in(crowd)) is not None]
            await crowd.close()
        say(f"barge-in: {len(silences)} of {times}, silence p50 {at(silences, 0.5)} ms, p95 {at(silences, 0.95)} ms")
        switches = await _switches(running, times)
        firsts = [int(row["first_word"] * 1e6) for row in switches if row["first_word"]]
        mixed = sum(row["mixed"] for row in switches)
    part = Part("barge-in")
    part.rows = [
        _row("barge-in, line of 600 kbit/s and 80 ms", silences, times),
        {**_row("switch, opening 1.2 s", firsts, len(switches)), "mixed": mixed},
    ]
    most = OPENING * 1000 + GRACE_MS
    heard, spoken = len(silences) == times, len(firsts) == len(switches)
    part.targets = [
        Target("silence after a barge-in, p95", f"≤ {SILENCE_MS:.0f} ms", f"{at(silences, 0.95)} ms",
               heard and at(silences, 0.95) <= SILENCE_MS),
        Target("first word after a switch, p95", f"≤ {most:.0f} ms", f"{at(firsts, 0.95)} ms",
               spoken and at(firsts, 0.95) <= most),
        Target("words of the old voice after config_ack", "0", str(mixed), not mixed),
    ]  # fmt: skip
    return [part]


def _row(what: str, samples: list[int], times: int) -> dict[str, Any]:
    figures = {f"p{share * 100:.0f}_ms": at(samples, share) for share in (0.5, 0.95, 1.0)}
    return {"what": what, "times": times, "came": len(samples), **figures}


async def _break_in(crowd: Crowd) -> int | None:
    """Microseconds from the caller's first sound to the `clear`; None if it never came."""
    call = await crowd.call(who=random.randrange(2000, 60_000))
    call.every = 0
    try:
        await call.hears(turn=0)
        call.speak(0.5)
        await call.hears(turn=1)
        await asyncio.sleep(0.5 + random.random() * 2)
        call.events.clear()
        call.speak(0.5)
        await call.until(lambda: _first(call, "clear") > 0, 5)
        return int(_first(call, "clear") * 1e6) - call.spoke_at
    except TimeoutError:
        return None
    finally:
        call.transport.abort()


async def _switches(running: Load, times: int) -> list[dict[str, Any]]:
    call = await running.crowd.call()
    running.crowd.keep_events = True
    call.every = 0
    await call.hears(turn=0)
    rows = []
    for number in range(times):
        if times > SWITCHES:
            await asyncio.sleep(60 / SWITCHES)
        call.speak(0.3)
        await call.hears(turn=call.turn)
        await asyncio.sleep(random.random() * 2)
        rows.append(await _switch(running, call, *OTHERS[number % 2]))
    return rows


async def _switch(running: Load, call: Call, persona: str, voice: str) -> dict[str, Any]:
    running.upstream.delays[call.who] = OPENING
    wanted, began = VOICES.index(voice), now() / 1e6

    acked = False

    def forget_the_old(event: dict[str, Any]) -> None:
        nonlocal acked
        if event["type"] == "config_ack":
            call.ear.words.clear()
            acked = True

    call.on_event = forget_the_old
    call.say(type="config", astrologer_id=persona)
    first = None
    try:
        await call.until(lambda: any(word.voice == wanted for word in call.ear.words), 8)
        first = now() / 1e6 - began
        await asyncio.sleep(1)
    except TimeoutError:
        pass
    return {"first_word": first, "mixed": acked and sum(word.voice != wanted for word in call.ear.words)}


def _first(call: Call, kind: str) -> float:
    return next((at_ for at_, event in call.events if event["type"] == kind), 0.0)
