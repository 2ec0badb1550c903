"""Measures what a caller hears when their own network is cut, stalls or dies without a word in a streamed call.

Every second turn has one loss at a random moment, of 0.1 to 3 s; the client is `phone.lasting`, which finds out that a
line is dead after 5 s at most. Words are told apart as in kills.py: those that are repeated, lost or of another call
are counted exactly. Silence is the sum of the gaps within a reply, for a player in real time; the outage is the time
until a connection comes through again, or of a stall its length.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bench.callers import ASTROLOGER
from bench.ear import Ear
from bench.fragile_line import FragileLine, fragile_line
from bench.kills import GAP, MODEL, SPEECH_SECONDS, VOICE, WORDS
from bench.load import Load, load
from bench.marks import GREETING_WORDS, frame, now, user
from bench.report import Part, Target
from phone import CallEnded, Message
from phone.lasting import LastingPhone

CALLERS = 12
FIRST = 1000
TURNS = 8
PATIENCE = 25.0  # seconds until a turn is given up
KINDS = ("cut", "stall", "half_open")
ADDED = 0.3  # seconds of silence beyond the outage
LISTED = 6


@dataclass
class Drop:
    """One loss, and what the turn in which it happened sounded like. Seconds."""

    kind: str
    outage: float = 0.0
    silence: float = 0.0
    repeated: int = 0
    lost: int = 0
    foreign: int = 0
    ended: str = ""

    @property
    def added(self) -> float:
        """Silence beyond the outage."""
        return max(0.0, self.silence - self.outage)


class Caller:
    """One call over a line that is lost now and then."""

    def __init__(self, who: int, line: FragileLine) -> None:
        self.who, self.line, self.ear = who, line, Ear(lambda _: None)
        self.phone = LastingPhone(line.url, user(who), {"astrologer_id": ASTROLOGER, "mode": "stream"})
        self.phone.on_message = self._hear
        self.turn = self.speaking = self.number = 0

    def _hear(self, message: Message) -> None:
        match message:
            case {"type": "response_started"}:
                self.ear.begin()
            case {"type": "sound", "pcm": pcm}:
                self.ear.hear(now() / 1e6, pcm)
            case {"type": "clear"}:
                self.ear.clear(now() / 1e6)

    async def microphone(self) -> None:
        """Send a frame every 20 ms."""
        due = asyncio.get_running_loop().time()
        while True:
            await self.phone.send(frame(self.who, self.turn, self.speaking > 0, self.number))
            self.number, self.speaking = self.number + 1, self.speaking - 1
            due += 0.02
            await asyncio.sleep(due - asyncio.get_running_loop().time())

    async def listen(self) -> None:
        """Until the call is over."""
        while True:
            await self.phone.next()

    async def answered(self, words: int) -> None:
        """Wait until the last word of the answer was played, or PATIENCE is over."""
        until = now() / 1e6 + PATIENCE
        while now() / 1e6 < until:
            await asyncio.sleep(0.02)
            over = any(word.turn == self.turn and word.position == words - 1 for word in self.ear.words)
            if over and now() / 1e6 > self.ear.ends_at + 0.5:
                return

    async def take_turn(self, kind: str) -> Drop | None:
        """Say something and hear the answer; with a `kind` the network is lost meanwhile."""
        self.turn, self.speaking = self.turn + 1, round(SPEECH_SECONDS * 50)
        drop = asyncio.create_task(self._lose(kind)) if kind else None
        await self.answered(WORDS)
        told = None
        if drop:
            told = await drop
            mine = (self.who, VOICE, self.turn)
            ours = [word for word in self.ear.words if (word.who, word.voice, word.turn) == mine]
            heard = Counter(word.position for word in ours)
            told.foreign = len(self.ear.words) - len(ours)
            told.repeated = sum(times - 1 for times in heard.values())
            told.lost = sum(position not in heard for position in range(WORDS))
            told.silence = sum(gap.seconds for gap in self.ear.gaps if gap.turn == self.turn)
        self.ear.words.clear()
        self.ear.gaps.clear()
        return told

    async def _lose(self, kind: str) -> Drop:
        loop, seconds = asyncio.get_running_loop(), random.uniform(0.1, 3.0)
        await asyncio.sleep(random.uniform(0.2, SPEECH_SECONDS + WORDS / 5 + 1.0))
        began = loop.time()
        getattr(self.line, kind)(seconds)
        if kind == "stall":
            await asyncio.sleep(seconds)
            return Drop(kind, seconds)
        while self.line.back_at < began and loop.time() - began < PATIENCE:  # noqa: ASYNC110  # nobody tells of it
            await asyncio.sleep(0.005)
        return Drop(kind, max(self.line.back_at, began) - began)


async def run(
    drops: int, kind: str = "server", callers: int = CALLERS, say: Callable[[str], None] = print
) -> list[Part]:
    """Measure so many losses, of so many callers at once."""
    part, every, numbers = Part("drops"), list[Drop](), iter(range(FIRST, 60_000))
    async with load(kind, words=WORDS, gap=GAP, **MODEL) as running:
        running.host.mark()
        await asyncio.gather(*(_calls(running, every, drops, numbers) for _ in range(min(callers, drops))))
        part.notes.append(f"others took {running.host.cost().others:.2f} of a core")
    part.rows = [_row(name, [drop for drop in every if name in ("", drop.kind)]) for name in ("", *KINDS)]
    part.notes += [f"{drop}" for drop in every if drop.added > ADDED or drop.lost or drop.repeated][:LISTED]
    wrong = {name: sum(getattr(drop, name) for drop in every) for name in ("repeated", "lost", "foreign")}
    added = part.rows[0]["added_p95"]
    part.targets = [
        Target("silence beyond the outage", "p95 ≤ 300 ms", f"{added} ms", added <= ADDED * 1000 if every else None),
        Target("words repeated, lost, foreign", "0, 0, 0", str(wrong), not any(wrong.values()) if every else None),
    ]
    say(f"{len(every)} losses")
    return [part]


async def _calls(running: Load, every: list[Drop], wanted: int, numbers: Iterator[int]) -> None:
    """One call after another, until there were enough losses."""
    while len(every) < wanted:
        await asyncio.sleep(random.random())
        async with fragile_line(running.crowd.port) as line:
            caller = Caller(next(numbers), line)
            async with caller.phone:
                work = [asyncio.create_task(part()) for part in (caller.microphone, caller.listen)]
                await caller.answered(GREETING_WORDS)
                caller.ear.words.clear()
                caller.ear.gaps.clear()
                for turn in range(TURNS):
                    if len(every) >= wanted or any(task.done() for task in work):
                        break
                    if drop := await caller.take_turn(random.choice(KINDS) if turn % 2 else ""):
                        every.append(drop)
                for task in work:
                    task.cancel()
                for told in await asyncio.gather(*work, return_exceptions=True):
                    if isinstance(told, CallEnded) and every:
                        every[-1].ended = str(told)
                with suppress(CallEnded):
                    await caller.phone.say(type="end")


def _row(name: str, of: list[Drop]) -> dict[str, Any]:
    def ms(values: list[float], share: float) -> int:
        ordered = sorted(values)
        return round(1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))]) if ordered else 0

    added, outages = [drop.added for drop in of], [drop.outage for drop in of]
    return {
        "the network": name or "all",
        "losses": len(of),
        "outage_p50": ms(outages, 0.5),
        "silence_p50": ms([drop.silence for drop in of], 0.5),
        "silence_p95": ms([drop.silence for drop in of], 0.95),
        "added_p50": ms(added, 0.5),
        "added_p95": ms(added, 0.95),
        "added_max": ms(added, 1.0),
        "repeated": sum(drop.repeated for drop in of),
        "lost": sum(drop.lost for drop in of),
        "foreign": sum(drop.foreign for drop in of),
        "ended": sum(bool(drop.ended) for drop in of),
    }
