"""Measures what callers hear of a deploy: 200 streamed calls, and a SIGTERM in the middle of them.

The model speaks in sentences of twelve words of 200 ms, the last of which is quiet and has a full stop, four times as
fast as they play. Each caller speaks for 2 s every 10 s, also while a reply plays. At the ear every word has a mark, so
that it is known with which word the sound ended. `lost` counts the connections to the model that were lost on the way.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from bench.callers import Call
from bench.load import Load, at, load
from bench.marks import GREETING_WORDS, now
from bench.report import Part, Target
from bench.server_process import UNLIMITED, Start

CALLERS = 200
SENTENCE, WORDS, GAP = 12, 60, 0.05
MODEL: dict[str, Any] = {"words": WORDS, "sentence": SENTENCE, "gap": GAP, "thinking": 0.3, "notice": 5, "pause": 25}
WARM_SECONDS = 15.0  # until the callers have heard their greetings and are spread over their turns
LATEST = 500.0  # ms: if the load itself was later than that, sound was late, and connections were lost for it
SPEECH = ("speech_started", "speech_stopped")
LOST = "lost generation"  # in the log: a late model stalls, and its connection is given up
PAUSE_SECONDS = 10.0  # the most that a call may take from the notice to its end


@dataclass
class End:
    """How one call ended: seconds from the signal to the notice and to the close, the code, and what was cut."""

    told: float
    closed: float
    code: int
    cut: str


async def run(within: float, callers: int = CALLERS, say: Callable[[str], None] = print) -> list[Part]:
    """Drain so many calls within `within` seconds."""
    part = Part("drain")
    start = Start(options=(*UNLIMITED, "--drain-seconds", str(within)))
    async with load("server", start=start, **MODEL) as running:
        running.crowd.keep_events = True
        await running.crowd.resize(callers, a_second=20)
        await asyncio.sleep(WARM_SECONDS)
        ends, left = await _drain(running, within)
        lost = running.host.log.read_text(errors="replace").count(LOST)
    closed, pauses = sorted(end.closed for end in ends), sorted(end.closed - end.told for end in ends)
    codes, cuts = Counter(end.code for end in ends), Counter(end.cut for end in ends if end.cut)
    part.rows = [
        {
            "calls": len(ends),
            "within_s": within,
            "first_told_s": round(min(end.told for end in ends), 2),
            "closed_p50_s": round(median(closed), 2),
            "closed_max_s": round(closed[-1], 2),
            "pause_p50_s": round(median(pauses), 2),
            "pause_max_s": round(pauses[-1], 2),
            "ended_s": round(left, 2),
            "cut": cuts.total(),
            "lost": lost,
        }
    ]
    late = at(running.crowd.lateness, 0.999)
    part.notes = [f"the load was {late} ms late (p99.9)", f"close codes: {dict(codes)}; what was cut: {dict(cuts)}"]
    early = min(end.told for end in ends) < (within - PAUSE_SECONDS) / 2 - 0.2
    part.targets = [
        Target(
            "sentences cut",
            "0",
            str(cuts.total()),
            None if cuts and late > LATEST else not cuts and set(codes) == {1001},
        ),
        Target("calls that ended before their time", "0", "some" if early else "0", not early),
    ]
    say(f"{len(ends)} calls were drained")
    return [part]


async def _drain(running: Load, within: float) -> tuple[list[End], float]:
    """Send the signal; returns how each call ended, and after how many seconds the process did."""
    calls, began = list(running.crowd.calls), now() / 1e6
    cut: dict[Call, str] = {}
    for call in calls:
        call.done.add_done_callback(partial(_note, cut, call))
    running.host.process.terminate()
    await asyncio.wait([call.done for call in calls], timeout=within + PAUSE_SECONDS)
    async with asyncio.timeout(within):
        while running.host.process.is_running():  # noqa: ASYNC110  # the loop has it reaped
            await asyncio.sleep(0.02)
    left = now() / 1e6 - began
    return [_end(call, began, cut.get(call, "it was not closed")) for call in calls], left


def _note(cut: dict[Call, str], call: Call, _: "asyncio.Future[None]") -> None:
    cut[call] = _cut(call)


def _end(call: Call, began: float, cut: str) -> End:
    told = next((at for at, event in call.events if event.get("code") == "draining"), began)
    closed, code = next(((at, event["code"]) for at, event in call.events if event["type"] == "close"), (began, 1006))
    return End(told - began, closed - began, code, cut)


def _cut(call: Call) -> str:
    """What was cut by the end of this call; empty if nothing was."""
    speech = [event["type"] for _, event in call.events if event["type"].startswith("speech_")]
    if speech[-1:] == ["speech_started"]:
        told = next((at for at, event in call.events if event.get("code") == "draining"), 0.0)
        return f"the caller, {now() / 1e6 - told:.0f} s after the notice"
    kinds = [event["type"] for _, event in call.events if event["type"] in ("response_started", "clear", *SPEECH)]
    if not call.ear.words or kinds[-1:] != ["response_started"]:
        return ""  # they had interrupted the reply themselves, or have said something since
    last = call.ear.words[-1]
    whole = (last.position + 1) % SENTENCE == 0 or last.position + 1 == (WORDS if last.turn else GREETING_WORDS)
    return "" if whole else f"a sentence, at word {last.position}"
