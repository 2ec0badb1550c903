"""Measures the cost of a message between two actors: our actors on the event loop, and Pykka's thread per actor.

A user has two actors. A frame is sent to the first, which sends it to the second, which records the latency. Paced: 50
frames per second and user. Raw: as many messages as possible through the two actors of one user.
"""

import asyncio
import threading
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pykka
import uvloop

from actors.runtime import Boot, Hired, LoopActor, Ref, launch
from bench.load import at
from bench.report import Part

RAW = 50_000


@dataclass(frozen=True, slots=True)
class Frame:
    """The message; `at` is when it was sent, in microseconds."""

    at: int
    pcm: bytes


class Notes:
    """The latencies that the last actor records, in microseconds; `all` is set when there are `wanted`."""

    def __init__(self) -> None:
        self.late = array("q")
        self.all = threading.Event()
        self.wanted = 0

    def note(self, frame: Frame) -> None:
        self.late.append(time.monotonic_ns() // 1000 - frame.at)
        if len(self.late) == self.wanted:
            self.all.set()


class LoopLast(LoopActor[Frame | Boot]):
    """The second actor, on the loop."""

    most_waiting = 2 * RAW  # the raw measurement is one burst

    def __init__(self, notes: Notes) -> None:
        super().__init__()
        self._notes = notes

    def on_receive(self, message: Frame | Boot) -> None:
        if isinstance(message, Frame):
            self._notes.note(message)


class LoopFirst(LoopActor[Frame | Boot]):
    """The first actor, on the loop."""

    most_waiting = 2 * RAW

    def __init__(self, to: Ref[Frame]) -> None:
        super().__init__()
        self._to = to

    def on_receive(self, message: Frame | Boot) -> None:
        if isinstance(message, Frame):
            self._to.tell(message)


class ThreadLast(pykka.ThreadingActor):
    """The second actor, with a thread of its own."""

    use_daemon_thread = True

    def __init__(self, notes: Notes) -> None:
        super().__init__()
        self._notes = notes

    def on_receive(self, message: Frame) -> None:
        self._notes.note(message)


class ThreadFirst(pykka.ThreadingActor):
    """The first actor, with a thread of its own."""

    use_daemon_thread = True

    def __init__(self, to: pykka.ActorRef[Any]) -> None:
        super().__init__()
        self._to = to

    def on_receive(self, message: Frame) -> None:
        self._to.tell(message)


def _on_loop(notes: Notes) -> Any:
    last: Hired[Frame | Boot] = launch(LoopLast(notes))
    first: Hired[Frame | Boot] = launch(LoopFirst(last))
    return first


def _on_threads(notes: Notes) -> Any:
    return ThreadFirst.start(ThreadLast.start(notes))


KINDS: dict[str, Callable[[Notes], Any]] = {"LoopActor": _on_loop, "ThreadingActor": _on_threads}


def run(users: tuple[int, ...], seconds: float, say: Callable[[str], None] = print) -> list[Part]:
    """Measure both kinds of actors, with each number of users."""
    part = Part("hop")
    for number in users:
        for kind, hire in KINDS.items():
            row = uvloop.run(_paced(hire, number, seconds))
            part.rows.append({"actor": kind, "users": number, **row})
            say(
                f"{kind}, {number} users: p99 {row['p99_ms']} ms, {row['cpu_us']} µs of CPU a frame, lost {row['lost']}"
            )
    for kind, hire in KINDS.items():
        raw = uvloop.run(_raw(hire))
        part.notes.append(f"raw, {kind}: {raw:.2f} µs a message")
    return [part]


async def _paced(hire: Callable[[Notes], Any], users: int, seconds: float) -> dict[str, Any]:
    notes, pcm, sent = Notes(), bytes(960), 0
    first = [hire(notes) for _ in range(users)]
    cpu, began = time.process_time(), time.monotonic()
    for tick in range(round(seconds * 1000)):
        await asyncio.sleep(max(0.0, began + tick / 1000 - time.monotonic()))
        for ref in first[tick % 20 :: 20]:
            ref.tell(Frame(time.monotonic_ns() // 1000, pcm))
            sent += 1
    await asyncio.sleep(0.2)
    cpu, late = time.process_time() - cpu, list(notes.late)
    await asyncio.to_thread(pykka.ActorRegistry.stop_all)
    return {
        "p50_ms": at(late, 0.5), "p99_ms": at(late, 0.99), "cpu_us": round(cpu * 1e6 / max(1, sent), 1),
        "lost": sent - len(late),
    }  # fmt: skip


async def _raw(hire: Callable[[Notes], Any]) -> float:
    notes = Notes()
    notes.wanted = RAW
    first, pcm = hire(notes), bytes(960)
    began = time.perf_counter()
    for _ in range(RAW):
        first.tell(Frame(0, pcm))
    await asyncio.to_thread(notes.all.wait, 60)
    spent = time.perf_counter() - began
    await asyncio.to_thread(pykka.ActorRegistry.stop_all)
    return spent * 1e6 / RAW
