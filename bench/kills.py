"""Measures what a caller hears when the upstream connection is cut at random moments, and takes 1.2 s to open again.

Every word of a reply has a mark with caller, persona, turn and position, so that words that are repeated, lost or of
another call are counted exactly. Silence is the sum of the gaps within a reply, for a player in real time. Words come
four times faster than they are spoken, so that a cut in the middle leaves some unsent. Neighbours are never cut. No two
turns in a row are cut, as a second attempt in a row waits half a second (actors/call/line.py).
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bench.callers import Call
from bench.load import Load, at, load
from bench.marks import GREETING_WORDS, VOICES, now
from bench.report import Part, Target
from bench.upstream import Upstream

OPENING = 1.2
WORDS = 20
GAP = 0.05  # seconds: four times real time
MODEL: dict[str, Any] = {"thinking": 0.3, "writing": 1.0, "notice": 5, "pause": 25}  # 100 ms, 500 ms
SPEECH_SECONDS = 1.0
TURNS = 9  # of a call; then the caller calls again
CALLERS = 24
NEIGHBOURS = 10
FIRST = 1000  # the numbers of the callers whose connections are cut
PATIENCE = 14.0  # seconds until a turn is given up
STORIES = 6  # that are reported
LONG = OPENING + MODEL["thinking"] + 0.1  # seconds: more silence than a cut at the worst moment can cause
VOICE = VOICES.index("marin")


@dataclass
class Kill:
    """One cut (or another event of a connection), and its effect on the turn in which it happened. Times in seconds."""

    phase: str
    at: float
    silence: float = 0.0
    waited: float = 0.0
    repeated: int = 0
    lost: int = 0
    foreign: int = 0
    long: float = LONG
    """More silence than this has its story told."""
    unheard: int = 0
    """Frames of the caller's speech that the model never received."""
    story: str = ""
    """If something is wrong: the words played, and what the model did."""


@dataclass
class Tally:
    """All cuts of a run."""

    wanted: int
    kills: list[Kill] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    """Calls that the server ended, by code."""

    @property
    def over(self) -> bool:
        """True if there were enough."""
        return len(self.kills) >= self.wanted


async def run(kills: int, kind: str = "server", say: Callable[[str], None] = print) -> list[Part]:
    """Measure so many cuts."""
    tally, numbers = Tally(kills), iter(range(FIRST, 60_000))
    async with load(kind, words=WORDS, gap=GAP, **MODEL) as running:
        running.crowd.keep_events = True
        running.upstream.disturbed.update(range(FIRST, 60_000))
        await running.crowd.resize(NEIGHBOURS)
        running.host.mark()
        callers = [caller(running, tally, numbers, _talk) for _ in range(min(CALLERS, kills))]
        await asyncio.gather(*callers)
        neighbours = at(running.upstream.uplink, 0.999)
        cost, late = running.host.cost(), at(running.crowd.lateness, 0.999)
        foreign = sum(word.who != call.who for call in running.crowd.calls for word in call.ear.words)
    part = Part("kills", rows=[row(phase, tally.kills) for phase in ("", *PHASES)])
    part.series = list(_distribution(tally))
    part.targets = _targets(tally, neighbours, foreign)
    part.notes += [kill.story for kill in tally.kills if kill.story][:STORIES]
    part.notes.append(f"others took {cost.others:.2f} of a core, the load was {late} ms late (p99.9)")
    if tally.dropped:
        part.notes.append(f"calls that the server ended: {dict(tally.dropped)}")
    say(f"{len(tally.kills)} cuts")
    return [part]


PHASES = ("greeting", "speaking", "waiting", "listening", "idle")


T = TypeVar("T", bound=Tally)


async def caller(
    running: Load, tally: T, numbers: Iterator[int], talk: Callable[[Load, T, Call], Coroutine[Any, Any, None]]
) -> None:
    """Place one call after another, until there were enough cuts."""
    while not tally.over:
        await asyncio.sleep(random.random())
        with suppress(OSError):
            call = await running.crowd.call(who=next(numbers))
            call.every = 0
            await talk(running, tally, call)
            for _, event in call.events:
                if event["type"] == "close":
                    tally.dropped[str(event["code"])] += 1
            call.transport.abort()


async def _talk(running: Load, tally: Tally, call: Call) -> None:
    """A greeting and some turns, with a cut in every second one."""
    cut = random.random() < 0.2
    await _turn(running, tally, call, 0, random.random() * 3 if cut else None)
    for turn in range(1, TURNS + 1):
        if call.done.done() or tally.over:
            return
        cut = not cut
        await _turn(running, tally, call, turn, random.random() * (SPEECH_SECONDS + WORDS / 5 + 2) if cut else None)


async def _turn(running: Load, tally: Tally, call: Call, turn: int, moment: float | None) -> None:
    began, words = now() / 1e6, WORDS if turn else GREETING_WORDS
    if turn:
        call.speak(SPEECH_SECONDS)
    kill = None
    until = began + PATIENCE
    while not call.done.done() and now() / 1e6 < until:
        await asyncio.sleep(0.01)
        at_ = now() / 1e6
        if tally.over:
            moment = None
        if kill is None and moment is not None and at_ >= began + moment:
            kill = Kill(_phase(call, turn), at_)
            if running.upstream.kill(call.who, OPENING):
                tally.kills.append(kill)
        over = any(word.turn == turn and word.position == words - 1 for word in call.ear.words)
        if over and at_ > call.ear.ends_at + 0.5 and (kill or moment is None):
            break
    if kill:
        judge(kill, running.upstream, call, turn, words, began)
    call.ear.words.clear()
    call.ear.gaps.clear()


def _phase(call: Call, turn: int) -> str:
    if call.left:
        return "speaking"
    if not any(word.turn == turn for word in call.ear.words):
        return "waiting" if turn else "greeting"
    if call.ear.ends_at > now() / 1e6:
        return "listening" if turn else "greeting"
    return "idle"


def judge(kill: Kill, upstream: Upstream, call: Call, turn: int, words: int, began: float) -> None:
    """Compare the words played in a turn, which began at `began` (seconds), with those expected; fills in `kill`."""
    ours = [word for word in call.ear.words if (word.who, word.voice, word.turn) == (call.who, VOICE, turn)]
    heard = Counter(word.position for word in ours)
    kill.foreign = len(call.ear.words) - len(ours)
    kill.repeated = sum(times - 1 for times in heard.values())
    kill.lost = sum(position not in heard for position in range(words))
    kill.silence = sum(gap.seconds for gap in call.ear.gaps if gap.turn == turn)
    kill.waited = (ours[0].plays_at - began - (SPEECH_SECONDS if turn else 0)) if ours else PATIENCE
    if turn:
        kill.unheard = max(0, round(SPEECH_SECONDS * 50) - upstream.speech[call.who, turn])
    if kill.foreign or kill.repeated or kill.lost or kill.unheard or kill.silence > kill.long:
        kill.story = _story(kill, upstream, call, turn, began)


def _story(kill: Kill, upstream: Upstream, call: Call, turn: int, began: float) -> str:
    """The words played, as turn.position, and what the model did, with the last items of its conversation."""
    heard = " ".join(f"{word.turn}.{word.position}" for word in call.ear.words)
    did = [
        f"at {answer.at / 1e6 - began:.2f} s {answer.why}, turn {answer.turn} from word {answer.first},"
        f" after {[text[-20:] for _, text in answer.history]}"
        for answer in upstream.answers
        if answer.who == call.who and answer.at > began * 1e6
    ]
    gaps = " ".join(f"{gap.seconds:.2f} s at {gap.at - began:.2f}" for gap in call.ear.gaps if gap.turn == turn)
    told = [f"{event['type']} {at - began:.2f}" for at, event in call.events if at > began]
    return (
        f"turn {turn} of {call.who}, {kill.phase} at {kill.at - began:.2f} s: {kill.unheard} frames unheard,"
        f" silent for {gaps or 0}, heard {heard}; the model {'; '.join(did)}; the caller was told {' '.join(told)}"
    )


def row(phase: str, of: list[Kill]) -> dict[str, Any]:
    """The figures of all cuts in one phase, or of all cuts for ""."""
    kills = [kill for kill in of if phase in ("", kill.phase)]
    silences = [int(kill.silence * 1e6) for kill in kills]
    waits = [int(kill.waited * 1e6) for kill in kills]
    row: dict[str, Any] = {"cut while": phase or "all", "cuts": len(kills)}
    row |= {f"silence_p{share:.0%}".rstrip("%"): at(silences, share) for share in (0.5, 0.95, 0.99)}
    row |= {"answer_p50": at(waits, 0.5), "answer_p95": at(waits, 0.95)}
    row |= {name: sum(getattr(kill, name) for kill in kills) for name in ("repeated", "lost", "foreign", "unheard")}
    return row


def _distribution(tally: Tally) -> Iterator[dict[str, float]]:
    silences = sorted(kill.silence * 1000 for kill in tally.kills)
    for number, silence in enumerate(silences, 1):
        yield {"silence_ms": silence, "share": number / len(silences)}


def _targets(tally: Tally, neighbours: float, foreign: int) -> list[Target]:
    every = row("", tally.kills)
    wrong = {name: every[name] for name in ("repeated", "lost", "foreign")}
    wrong["foreign"] += foreign
    got = f"p50 {every['silence_p50']} ms, p95 {every['silence_p95']} ms"
    silent = every["silence_p50"] <= 1 and every["silence_p95"] <= OPENING * 1000
    none, unheard = not tally.kills, every["unheard"]
    return [
        Target(f"silence added, {every['cuts']} cuts", "p50 0 ms, p95 ≤ 1200 ms", got, None if none else silent),
        Target("words repeated, lost, foreign", "0, 0, 0", str(wrong), None if none else not any(wrong.values())),
        Target("frames of the caller's speech unheard", "0", str(unheard), None if none else not unheard),
        Target("neighbours' uplink p99.9", "≤ 20 ms", f"{neighbours} ms", neighbours <= 20),
    ]
