"""Measures what a caller hears when the model falls silent in the middle of an answer, and its connection stays.

The model speaks four times as fast as it plays, or no faster. In every second turn it says nothing more after a random
word: for good, or in one of four for 3 s. Another connection takes 1.2 s to open. Words and silence are measured as in
kills.py: every word has a mark, so that words that are repeated, lost or of another call are counted exactly, and
silence is the sum of the gaps within a reply, for a player in real time.
"""

import asyncio
import random
from collections.abc import Callable
from math import inf
from typing import Any

from bench.callers import Call
from bench.kills import CALLERS, FIRST, MODEL, OPENING, SPEECH_SECONDS, STORIES, TURNS, WORDS, Kill, Tally, caller, row
from bench.kills import judge as compare
from bench.load import Load, at, load
from bench.marks import GREETING_WORDS, now
from bench.report import Part, Target

GAPS = {"4 times as fast": 0.05, "as fast as it plays": 0.2}
"""Seconds from one word to the next, each of 200 ms, by the name of a row."""
FOR_GOOD, BY_ITSELF = "", ", 3 s"
SHORT = 3.0  # seconds, after which the model goes on by itself
PATIENCE = 20.0  # seconds until a turn is given up
HANGS_UP = 4.0  # seconds of silence after which callers hang up
LONG = HANGS_UP + OPENING + 1.0  # seconds: more silence than a stall at the worst word can cause


async def run(stalls: int, kind: str = "server", say: Callable[[str], None] = print) -> list[Part]:
    """Measure so many stalls, half of them for each speed of the model."""
    part = Part("stalls")
    every: list[Kill] = []
    for name, gap in GAPS.items():
        tally, numbers = Tally(max(1, stalls // 2)), iter(range(FIRST, 60_000))

        async def talk(running: Load, tally: Tally, call: Call, name: str = name) -> None:
            await _talk(running, tally, call, name)

        async with load(kind, words=WORDS, gap=gap, **MODEL) as running:
            running.crowd.keep_events = True
            running.host.mark()
            await asyncio.gather(*(caller(running, tally, numbers, talk) for _ in range(min(CALLERS, tally.wanted))))
            cost, late = running.host.cost(), at(running.crowd.lateness, 0.999)
        part.rows += [_row(name + how, tally.kills) for how in (FOR_GOOD, BY_ITSELF)]
        part.notes += [kill.story for kill in tally.kills if kill.story][:STORIES]
        part.notes.append(f"{name}: others took {cost.others:.2f} of a core, the load was {late} ms late (p99.9)")
        if tally.dropped:
            part.notes.append(f"{name}: calls that the server ended: {dict(tally.dropped)}")
        every += tally.kills
    part.targets = _targets(every)
    say(f"{len(every)} stalls")
    return [part]


async def _talk(running: Load, tally: Tally, call: Call, name: str) -> None:
    """A greeting and some turns, with a stall in every second one."""
    await _listen(call, 0, GREETING_WORDS)
    call.ear.words.clear()
    for turn in range(1, TURNS + 1):
        if call.done.done() or tally.over:
            return
        await _turn(running, tally, call, turn, name if turn % 2 else None)


async def _turn(running: Load, tally: Tally, call: Call, turn: int, name: str | None) -> None:
    began, upstream = now() / 1e6, running.upstream
    kill = None
    if name:
        short = random.random() < 0.25
        kill = Kill(name + (BY_ITSELF if short else FOR_GOOD), began, long=LONG)
        upstream.stalls[call.who] = (random.randrange(1, WORDS), SHORT if short else inf)
        upstream.delays[call.who] = OPENING
    call.speak(SPEECH_SECONDS)
    await _listen(call, turn, WORDS)
    if kill and call.who not in upstream.stalls:
        compare(kill, upstream, call, turn, WORDS, began)
        tally.kills.append(kill)
    call.ear.words.clear()
    call.ear.gaps.clear()


async def _listen(call: Call, turn: int, words: int) -> None:
    """Wait until the last word of an answer was played, or PATIENCE is over."""
    until = now() / 1e6 + PATIENCE
    while not call.done.done() and now() / 1e6 < until:
        await asyncio.sleep(0.01)
        whole = any(word.turn == turn and word.position == words - 1 for word in call.ear.words)
        if whole and now() / 1e6 > call.ear.ends_at + 0.5:
            return


def _row(name: str, of: list[Kill]) -> dict[str, Any]:
    figures = row(name, of)
    return {"the model speaks": figures.pop("cut while"), "stalls": figures.pop("cuts"), **figures}


def _targets(every: list[Kill]) -> list[Target]:
    ahead, level = (row(name, every) for name in GAPS)
    wrong = {name: sum(getattr(kill, name) for kill in every) for name in ("repeated", "lost", "foreign")}
    got = "; ".join(f"p50 {of['silence_p50']} ms, p95 {of['silence_p95']} ms" for of in (ahead, level))
    silent = ahead["silence_p95"] <= HANGS_UP * 1000 and level["silence_p95"] <= LONG * 1000
    whole, none = not any(wrong.values()), not every
    return [
        Target("silence of a stalled answer", "p95 ≤ 4 s; as fast as it plays: ≤ 6.2 s", got, None if none else silent),
        Target("words repeated, lost, foreign", "0, 0, 0", str(wrong), None if none else whole),
    ]
