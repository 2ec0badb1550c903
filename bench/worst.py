"""Measures how long the most expensive message of each kind blocks the event loop: `python -m bench worst`.

First the pure functions: the CPU time, the minimum of some rounds. Then a running server: health_probe.py requests
/health all the time; by how much its slowest response exceeded the median, while the message was processed, is what
other callers would have felt; again the minimum of some rounds. If the median is over a millisecond, the machine is
busy, and these figures are not valid.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

import uvloop

from actors.messages.caller import AudioResponse, Error, Summary, ToCaller
from bench import frames
from bench.callers import Call
from bench.catalogue import SIZES, catalogue_of
from bench.health_probe import HealthProbe, health_probe
from bench.load import Load, load
from bench.messages import CLIPS, MESSAGES, QUERIES
from bench.report import Part, Target
from personas import Catalogue
from personas.languages import unknown_language
from personas.meter import Bill, Stay
from realtime.client import incoming
from realtime.client.fields import Malformed
from schemas import Refused
from upstream.link import MAX_FRAME
from web.wires import app

MUST = 5.0  # ms
QUIET = 0.001  # seconds: a higher median latency means that the machine is busy
ROUNDS = 7
REPLY = bytes(120 * 48_000)
MOST_STAYS = 361  # of a call of an hour with six switches a minute
WORDS = 600  # of 200 ms: a reply of 120 s
UNKNOWN = "tina_kulkarni_vedic_marriages" * 300


def run() -> list[Part]:
    """One row for each kind of message."""
    part = Part("worst", columns=("where", "message", "bytes", "held_ms"))
    for size, name, work in _pure():
        part.rows.append(_row("alone", name, size, min(_timed(work) for _ in range(ROUNDS))))
    usual, served = uvloop.run(_served())
    part.rows += served
    part.notes.append(f"an answer takes {usual * 1000:.2f} ms where nothing else comes")
    for row in sorted(part.rows, key=lambda row: -row["held_ms"]):
        known = row["where"] == "alone" or usual <= QUIET
        met = row["held_ms"] <= MUST or (False if known else None)
        part.targets.append(Target(f"{row['message']}, {row['where']}", f"≤ {MUST:g} ms", f"{row['held_ms']} ms", met))
    return [part]


def _row(where: str, message: str, size: int, seconds: float) -> dict[str, Any]:
    return {"where": where, "message": message, "bytes": size, "held_ms": round(seconds * 1000, 2)}


def _timed(work: Callable[[], object]) -> float:
    began = time.thread_time()
    with suppress(Refused, Malformed):
        work()
    return time.thread_time() - began


def _pure() -> Iterator[tuple[int, str, Callable[[], object]]]:
    for name, frame in {**MESSAGES, **CLIPS}.items():
        yield len(frame), name, partial(_read, frame)
    for number in SIZES:
        yield from _asked(catalogue_of(number), f", {number} personas")
    yield len(UNKNOWN), "a language that nobody knows", lambda: unknown_language(UNKNOWN)
    pieces = app.pieces(AudioResponse("1.1", REPLY))
    next(pieces)
    yield app.PIECE, "a piece of a whole reply", lambda: next(pieces)
    delta = b'{"type":"response.output_audio.delta","response_id":"r","delta":"%b"}'
    sound = delta % (b"A" * (MAX_FRAME - len(delta)))
    yield len(sound), "the model's largest delta", lambda: incoming.read(sound)
    created = b'{"type":"session.created","session":{"instructions":"%b"}}'
    words = created % (b"a" * (MAX_FRAME - len(created)))
    yield len(words), "the model's largest session", lambda: incoming.read(words)


def _read(frame: bytes) -> object:
    """Read a frame and write a refusal, as the endpoint and the outbox do."""
    try:
        return app.read(frame)
    except Refused as refused:
        return app.write(Error(refused.code, refused.message))


def _asked(catalogue: Catalogue, among: str) -> Iterator[tuple[int, str, Callable[[], object]]]:
    now = datetime.now(UTC)
    yield len(UNKNOWN), f"an unknown id{among}", lambda: catalogue.get(UNKNOWN, now)
    for name, query in QUERIES.items():
        yield len(query), f"match: {name}{among}", partial(catalogue.match_all, query, None, now)
    summary: ToCaller = Summary(Bill(tuple(Stay(persona, 61) for persona in catalogue.all()[:MOST_STAYS])))
    yield len(app.write(summary)), f"a summary of everybody{among}", lambda: app.write(summary)


# A running server.


async def _served() -> tuple[float, list[dict[str, Any]]]:
    """The median latency of /health in seconds, and a row for each message: the minimum, as noise only adds."""
    async with load("server", words=WORDS) as running, health_probe(running.host.port) as probe:
        running.crowd.keep_events = True
        for name, frame in {**MESSAGES, **CLIPS}.items():
            await _told(running, probe, name, frame)
        for name, path in _paths().items():
            for _ in range(ROUNDS):
                async with probe.during(name, len(path)):
                    await _requested(running.host.port, path)
        await _answered(running, probe)
    return probe.usual, [_row("served", name, size, min(held)) for (name, size), held in probe.added().items()]


async def _told(running: Load, probe: HealthProbe, name: str, frame: bytes) -> None:
    """Send a frame as a caller, and wait until it was processed."""
    call = await running.crowd.call(speaking=False, mode="clip")
    data = frames.frame(frames.TEXT, frame, masked=True)
    for _ in range(ROUNDS):
        async with probe.during(name, len(frame)):
            call.transport.write(data)
            call.say(type="ping")
            await _hears(call, "pong")
    call.transport.abort()
    await call.done


async def _hears(call: Call, kind: str) -> None:
    known = len(call.events)
    with suppress(TimeoutError):
        await call.until(lambda: any(event["type"] == kind for _, event in call.events[known:]), 20)


def _paths() -> dict[str, str]:
    """Expensive request paths, by name; a request line has at most 8,190 bytes."""
    long = quote("\N{DEVANAGARI LETTER KA}" * 850)
    asked = {name: quote(query)[:8000] for name, query in QUERIES.items()}
    return {
        "REST: a language that nobody knows": f"/api/astrologers?language={long}",
        "REST: an id that nobody has": f"/api/astrologers/{long}",
        "REST: many parameters": f"/api/astrologers?{'a=&' * 2600}",
        "a call to an unknown id": f"/ws/user-1?astrologer_id={long}",
        **{f"a call to whoever fits: {name}": f"/ws/user-1?match={query}" for name, query in asked.items()},
    }


async def _requested(port: int, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(frames.request(path, f"127.0.0.1:{port}"))
    with suppress(TimeoutError, OSError):
        await asyncio.wait_for(reader.read(2**16), 2)
        await asyncio.sleep(0.05)  # for the messages after a handshake
    writer.transport.abort()


async def _answered(running: Load, probe: HealthProbe) -> None:
    """Measure a complete reply of the greatest length."""
    call: Call = await running.crowd.call(speaking=False, mode="clip")
    for _ in range(ROUNDS):
        async with probe.during(f"a whole reply of {WORDS // 5} s", len(REPLY)):
            call.say(type="text", text="and then?")
            await _hears(call, "audio_response")
        call.say(type="interrupt")
    call.transport.abort()
