"""Measures what a caller hears when sessions of the model are so short that a rollover happens every few seconds.

A session lasts 12 s. Its successor, which takes 1.2 s to open, is due after 6. Callers in no hurry pause for up to 4 s
before they speak, so that there usually is a silent moment for the rollover; in half of the turns they begin to speak
at about the time when the next connection is open. Callers in a hurry speak as soon as they were answered: there is no
silent moment long enough to open a connection, so their sessions expire with `session_expired` and 1001. Words and
silence are measured as in kills.py.
"""

import asyncio
import random
import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bench.callers import Call
from bench.kills import GAP, MODEL, OPENING, PATIENCE, SPEECH_SECONDS, STORIES, WORDS, Kill, Tally, caller, judge, row
from bench.load import Load, at, load
from bench.marks import GREETING_WORDS, now
from bench.report import Part, Target
from bench.upstream import Upstream

LIFE = 12.0
THINKING = 4.0
NEAR = 0.2  # seconds before or after the next connection is open
CALLERS, HURRIED = 24, 8
TURNS = 9  # of a call; then the caller calls again
FIRST = 1000
SILENCE_MS, EXPIRED_MS, LATER_MS = 1.0, OPENING * 1000, 50.0
ENDED = re.compile(r" ended session=.* rollovers=(\d+) ")
LOST = re.compile(r" lost generation \d+: (.*)")
KINDS = ("undisturbed", "rolled over", "expired")


@dataclass
class Turns(Tally):
    """All turns, each with the kind of its takeovers; `moments` counts takeovers by kind and by what was going on."""

    moments: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def over(self) -> bool:
        """True if there were enough."""
        return self.moments.total() >= self.wanted


async def run(takeovers: int, kind: str = "server", say: Callable[[str], None] = print) -> list[Part]:
    """Measure so many takeovers."""
    tally, numbers = Turns(takeovers), iter(range(FIRST, 60_000))
    async with load(kind, words=WORDS, gap=GAP, life=LIFE, opening=OPENING, **MODEL) as running:
        running.crowd.keep_events = True
        running.host.mark()
        talks = [partial(_talk, hurried=number < HURRIED) for number in range(CALLERS)]
        await asyncio.gather(*(caller(running, tally, numbers, talk) for talk in talks))
        cost, late = running.host.cost(), at(running.crowd.lateness, 0.999)
        await asyncio.sleep(3)  # until the server has logged the end of its calls
        log = running.host.log.read_text()
    part = Part("rollover", rows=[{"connection": how, **_row(how, tally)} for how in KINDS], targets=_targets(tally))
    part.notes += [turn.story for turn in tally.kills if turn.story][:STORIES]
    part.notes += [f"{how}, taken over while {when}: {times}" for (how, when), times in sorted(tally.moments.items())]
    counted, lost = sum(int(times) for times in ENDED.findall(log)), dict(Counter(LOST.findall(log)))
    part.notes.append(f"the server counted {counted} rollovers, and lost by reason {lost}")
    part.notes.append(f"others took {cost.others:.2f} of a core, the load was {late} ms late (p99.9)")
    if tally.dropped:
        part.notes.append(f"calls that the server ended: {dict(tally.dropped)}")
    say(f"{tally.moments.total()} takeovers in {len(tally.kills)} turns")
    return [part]


async def _talk(running: Load, tally: Turns, call: Call, hurried: bool) -> None:
    await _listen(call, 0, GREETING_WORDS)
    call.ear.words.clear()
    for turn in range(1, TURNS + 1):
        if tally.over or call.done.done():
            return
        await _turn(running, tally, call, turn, hurried)


async def _turn(running: Load, tally: Turns, call: Call, turn: int, hurried: bool) -> None:
    upstream = running.upstream
    seen, gone = len(upstream.takeovers), len(upstream.expired)
    if not hurried:
        await _think(upstream, call)
    began = now() / 1e6
    call.speak(SPEECH_SECONDS)
    await _listen(call, turn, WORDS)
    taken = [over for over in upstream.takeovers[seen:] if over.who == call.who]
    expired = [at_ for who, at_ in upstream.expired[gone:] if who == call.who]
    how = KINDS[2] if expired or any(over.expired for over in taken) else KINDS[1] if taken else KINDS[0]
    kill = Kill(how, min([*expired, *(over.at for over in taken)], default=began))
    judge(kill, upstream, call, turn, WORDS, began)
    tally.kills.append(kill)
    tally.moments.update((KINDS[1 + over.expired], _moment(call, turn, began, over.at)) for over in taken)
    call.ear.words.clear()
    call.ear.gaps.clear()


async def _listen(call: Call, turn: int, words: int) -> None:
    """Wait until the last word of an answer was played, or PATIENCE is over."""

    def heard() -> bool:
        whole = any(word.turn == turn and word.position == words - 1 for word in call.ear.words)
        return whole and now() / 1e6 > call.ear.ends_at

    with suppress(TimeoutError):
        await call.until(heard, PATIENCE)


async def _think(upstream: Upstream, call: Call) -> None:
    """Wait for a random time, or until about the time when the next connection is open."""
    began = now() / 1e6
    until, aims = began + random.random() * THINKING, random.random() < 0.5
    while now() / 1e6 < until and not call.done.done():
        await asyncio.sleep(0.005)
        if aims and (dialled := upstream.dialled.get(call.who, 0.0)) > began:
            until, aims = dialled + OPENING + random.uniform(-NEAR, NEAR), False


def _moment(call: Call, turn: int, began: float, at_: float) -> str:
    """What was going on at `at_` in a turn whose speech began at `began` (seconds)."""
    if at_ < began:
        return "silent"
    if at_ < began + SPEECH_SECONDS:
        return "speaking"
    heard = [word.plays_at for word in call.ear.words if word.turn == turn]
    return "listening" if heard and at_ >= min(heard) else "waiting"


def _row(kind: str, tally: Turns) -> dict[str, Any]:
    figures = row(kind, tally.kills)
    del figures["cut while"]
    return {"turns": figures.pop("cuts"), **figures}


def _targets(tally: Turns) -> list[Target]:
    calm, rolled, expired = (_row(kind, tally) for kind in KINDS)
    times = {kind: sum(n for (how, _), n in tally.moments.items() if how == kind) for kind in KINDS[1:]}
    wrong = {what: sum(one[what] for one in (calm, rolled, expired)) for what in ("repeated", "lost", "foreign")}
    unheard = sum(one["unheard"] for one in (calm, rolled, expired))
    later = {share: rolled[f"answer_{share}"] - calm[f"answer_{share}"] for share in ("p50", "p95")}
    some = rolled["turns"] and calm["turns"]
    return [
        Target(f"silence added, {times['rolled over']} rollovers, p95", "0 ms, or as without one",
               f"{_silence(rolled)}; without {_silence(calm)}",
               rolled["silence_p95"] <= max(SILENCE_MS, calm["silence_p95"]) if some else None),
        Target("answer later than without a rollover", f"p50 ≤ {LATER_MS:.0f} ms",
               ", ".join(f"{share} {late:+.0f} ms" for share, late in later.items()),
               later["p50"] <= LATER_MS if some else None),
        Target(f"silence added, {times['expired']} expired, p95", f"≤ {EXPIRED_MS:.0f} ms", _silence(expired),
               expired["silence_p95"] <= EXPIRED_MS if expired["turns"] else None),
        Target("words repeated, lost, foreign", "0, 0, 0", str(wrong), not any(wrong.values()) if some else None),
        Target("frames of the caller's speech unheard", "0", str(unheard), not unheard if some else None),
    ]  # fmt: skip


def _silence(figures: dict[str, Any]) -> str:
    return f"p50 {figures['silence_p50']} ms, p95 {figures['silence_p95']} ms"
