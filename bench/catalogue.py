"""Measures a file of personas: reading, memory, edits while a server runs, and searches (`python -m bench catalogue`).

Files: the four personas that ship, and a thousand made of them. An edit is timed from the rename of the new file to the
new catalogue, with the same `watch` that a server uses. Meanwhile a clock on the same event loop measures its delay,
which is what calls would feel. The same clock runs during three requests of clients: the list of all personas, an
unknown id, and a query that contains all keywords.
"""

import asyncio
import itertools
import tempfile
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import orjson
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from actors.testing.probe import Probe
from bench.load import at
from bench.report import Part, Target
from cli.memory import freeze_memory
from personas import SHIPPED, Catalogue, CurrentCatalogue
from personas.loading.watching import Edits, watch
from schemas import Refused
from tests.personas.search.questions import QUESTIONS
from web.request_scheduler import SCHEDULER, RequestScheduler
from web.rest import Rest

SIZES = (4, 1_000)
ROUNDS = 9
TICK = 0.001  # seconds between two samples of the clock
MUST_SERVE = 1.0  # seconds from an edit to a catalogue that has it
MUST_LET_GO = 10.0  # ms for which one request may block the event loop
HOURS = {"timezone": "Asia/Kolkata", "weekly": {"Mon": "9am-1pm, 2pm-9pm", "Wed": "9am-5pm", "Sat": "8pm-1am"}}


def run() -> list[Part]:
    """One row for each size of a file."""
    part = Part("catalogue")
    part.rows = [_row(number) for number in SIZES]
    for row in part.rows:
        worst = row["edit_worst_s"]
        what = f"an edit is served, {row['personas']} personas"
        part.targets.append(Target(what, f"within {MUST_SERVE:g} s", f"{worst} s at worst", worst <= MUST_SERVE))
        for ask in ("list", "unknown", "match"):
            held = row[f"{ask}_holds_ms"]
            what = f"{ask} lets go of the loop, {row['personas']} personas"
            part.targets.append(Target(what, f"within {MUST_LET_GO:g} ms", f"{held} ms", held <= MUST_LET_GO))
    shipped = Catalogue.load()
    right = sum(_named(shipped, query) in wanted for query, wanted in QUESTIONS)
    part.notes.append(f"the first of a match is who was meant: {right} of {len(QUESTIONS)} questions")
    return [part]


def _row(number: int) -> dict[str, Any]:
    raw = _file(number)
    kept, most = _memory(raw)
    edits, delays = asyncio.run(_edited(number))
    catalogue = Catalogue.from_bytes(raw)
    matches = list(_matches(catalogue))
    freeze_memory()
    return {
        "personas": number, "file_mb": round(len(raw) / 1e6, 2), "load_s": round(median(_loads(raw)), 3),
        "kept_mb": kept, "peak_mb": most, "edit_s": round(median(edits), 3), "edit_worst_s": round(max(edits), 3),
        "loop_late_p99_ms": round(quantiles(delays, n=100)[-1] * 1000, 1), "loop_late_ms": round(max(delays) * 1000, 1),
        "match_p50_ms": at(matches, 0.5), "match_p99_ms": at(matches, 0.99),
        **{f"{name}_holds_ms": asyncio.run(_held(ask)) for name, ask in _asks(catalogue).items()},
    }  # fmt: skip


def _file(number: int, edit: int = 0) -> bytes:
    """A file of so many personas, each with a different prompt, with hours if there are more than four.

    A different `edit` gives a different prompt of the last persona.
    """
    data = orjson.loads(SHIPPED.read_bytes())
    rows = data["astrologers"]
    data["astrologers"] = [
        {**row, "astrologer_id": f"a_{n}", "system_prompt": f"{row['system_prompt']}\nLine {n}."}
        | ({} if n < SIZES[0] else {"availability": HOURS})
        for n, row in zip(range(number), itertools.cycle(rows), strict=False)
    ]
    data["astrologers"][-1]["system_prompt"] += f"\nEdit {edit}."
    return orjson.dumps(data, option=orjson.OPT_INDENT_2)


def catalogue_of(number: int) -> Catalogue:
    """A catalogue of so many personas."""
    return Catalogue.from_bytes(_file(number))


def _loads(raw: bytes) -> Iterator[float]:
    for _ in range(ROUNDS):
        began = time.perf_counter()
        Catalogue.from_bytes(raw)
        yield time.perf_counter() - began


def _memory(raw: bytes) -> tuple[float, float]:
    """MB of a catalogue, and the peak while it was read."""
    Catalogue.from_bytes(raw)  # fills the caches that all catalogues share
    tracemalloc.start()
    catalogue = Catalogue.from_bytes(raw)
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert catalogue.personas
    return round(kept / 1e6, 1), round(most / 1e6, 1)


async def _edited(number: int) -> tuple[list[float], list[float]]:
    """Seconds from each edit to its catalogue, and all delays of the event loop meanwhile, in seconds."""
    taken: asyncio.Queue[Catalogue] = asyncio.Queue()
    times: list[float] = []
    delays: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        file, new = Path(folder, "personas.json"), Path(folder, "new.json")
        first, *texts = [_file(number, edit) for edit in range(ROUNDS + 1)]
        file.write_bytes(first)  # noqa: ASYNC240 - the clock does not run yet
        edits = Edits(file, first, Catalogue.from_bytes(first))
        freeze_memory()
        tasks = [
            asyncio.create_task(watch(edits, taken.put_nowait, lambda faults: None)),
            asyncio.create_task(_clock(delays)),
        ]
        for text in texts:
            await asyncio.to_thread(new.write_bytes, text)
            began = time.perf_counter()
            new.replace(file)  # noqa: ASYNC240 - quicker than the way to a thread
            await asyncio.wait_for(taken.get(), 30)
            times.append(time.perf_counter() - began)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    return times, delays


async def _clock(delays: list[float], tick: float = TICK) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(tick)
        delays.append(time.perf_counter() - began - tick)


def _asks(catalogue: Catalogue) -> dict[str, Callable[[], Awaitable[object]]]:
    """The most expensive requests of clients about all personas, as the server answers them."""
    rest = Rest(Probe(), CurrentCatalogue(catalogue), "nobody", _never)
    words = " ".join(dict.fromkeys(word for persona in catalogue.all() for word in persona.keywords))

    async def listing() -> None:
        app = web.Application()
        app[SCHEDULER] = RequestScheduler()
        await rest.list(make_mocked_request("GET", "/api/astrologers", app=app))

    async def unknown() -> None:
        with suppress(Refused):
            catalogue.get(f"{catalogue.all()[-1].id}x", datetime.now(UTC))

    async def match() -> None:
        catalogue.match(words, moment=datetime.now(UTC))

    return {"list": listing, "unknown": unknown, "match": match}


async def _never() -> bool:
    return False


async def _held(ask: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds for which one request blocks the event loop; the median of some rounds."""
    delays: list[float] = []
    longest: list[float] = []
    clock = asyncio.create_task(_clock(delays, 0))
    for _ in range(ROUNDS):
        await ask()
        await asyncio.sleep(TICK)
        longest.append(max(delays))
        delays.clear()
    clock.cancel()
    return round(median(longest) * 1000, 1)


def _matches(catalogue: Catalogue) -> Iterator[int]:
    """Microseconds of each query."""
    for query, _ in QUESTIONS:
        began = time.perf_counter_ns()
        catalogue.match(query)
        yield (time.perf_counter_ns() - began) // 1000


def _named(catalogue: Catalogue, query: str) -> str:
    """The first name of the best match."""
    found = catalogue.match(query, limit=1)
    return found[0].persona.id.partition("_")[0] if found else "nobody"
