"""A whole server in this process: real sockets on both shores, the real engine's server, real decoders.

Only the engine's voice, ear and mind are light: tones that tell voices apart by pitch, and words that tell who was
asked what. So a test can hold the engine's voice back, and count what is left when a call is over.
"""

import asyncio
import gc
import math
import os
import struct
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pykka
from aiohttp import web

from actors.base import Down, Hired, Stop, launch
from actors.equipment import Equipment, Limits
from actors.figures import Figures
from actors.testing.phone import Phone
from audio import Pool
from personas import Catalogue, Shelf
from realtime import GO_ON, SAY_EXACTLY
from realtime.link import Upstream
from realtime.local.call import Parts
from realtime.local.reading import Turn
from realtime.local.script import Script
from realtime.local.server import PATH, Server
from realtime.local.settings import LONGEST_LIFE
from realtime.local.vad import Loudness
from realtime.local.words import after
from realtime.readiness import Readiness
from supervisor import SupervisorActor, SupervisorInbox
from tests.kit.four import FOUR
from tests.kit.loop import decoders
from tests.kit.probe import PATIENCE, Probe, until
from web import application, runner
from web.metrics import Metrics
from web.rest import Rest

CLIPS = Path(__file__).parents[2] / "clips"
TOKEN = "only-for-this-test"
PITCHES = {"marin": 200, "cedar": 300, "shimmer": 400, "echo": 500}  # Hz


class Tones:
    """A voice that says every sentence as one second of a tone; it waits until `free` is set.

    `hold(n)` lets it say n sentences more, then waits; `held` is set when it does.
    """

    def __init__(self) -> None:
        self.free = threading.Event()
        self.free.set()
        self.held = threading.Event()
        self._left = math.inf

    def hold(self, sentences: int) -> None:
        self._left = sentences

    def say(self, text: str, voice: str) -> Iterator[bytes]:
        if self._left == 0:
            self.free.clear()
            self.held.set()
        self._left -= 1
        assert self.free.wait(PATIENCE)
        turn = 2 * math.pi * PITCHES[voice] / 24_000
        yield struct.pack("<24000h", *(int(9000 * math.sin(turn * n)) for n in range(24_000)))


class Measure:
    """An ear that writes down how long a clip is, so that clips can be told apart; it waits until `free` is set."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.free.set()

    def hear(self, pcm: bytes, language: str | None) -> str:
        assert self.free.wait(PATIENCE)
        return f"{len(pcm) / 48_000:.1f} seconds in {language}"


class Echo:
    """A mind that says what it was told to say, else its `script`, else what it remembers of the caller."""

    script = ""

    async def answer(self, instructions: str, turns: tuple[Turn, ...]) -> str:
        if exact := instructions.partition(SAY_EXACTLY)[2].strip():
            return exact
        if self.script:
            heard = turns[-1].text if GO_ON in instructions and turns[-1].role == "assistant" else ""
            return after(heard, self.script) or self.script
        return "You said " + ", then ".join(turn.text for turn in turns if turn.role == "user") + "."


@dataclass
class Exchange:
    """The running server, and its insides for tests to look at or to hurt."""

    url: str
    http: str
    engine: Server
    pool: Pool
    upstream: Upstream
    figures: Figures
    supervisor: Hired[SupervisorInbox]
    shelf: Shelf
    tones: Tones
    ear: Measure
    mind: Echo
    parts: Parts

    def phone(self, user: str = "user-1", **query: str) -> Phone:
        """A phone of this user's, not yet connected."""
        return Phone(self.url, user, query)

    def left(self) -> dict[str, Any]:
        """What there is now that a call must not leave behind."""
        gc.collect()
        actors = sorted(ref.actor_class.__name__ for ref in pykka.ActorRegistry.get_all())
        tasks = sorted(task.get_name() for task in asyncio.all_tasks() if not task.get_name().startswith("Task-"))
        return {
            "actors": actors,
            "tasks": tasks,
            "engine calls": len(self.engine.calls),
            "handles": len(os.listdir("/proc/self/fd")),
            "connections": len(psutil.Process().net_connections()),
            "processes": len(psutil.Process().children(recursive=True)),
            "queued": self.parts.queued,
        }

    async def settles_to(self, before: dict[str, Any], within: float = PATIENCE) -> None:
        """Wait until nothing is left but what there was before."""
        await self.until(lambda: self.left() == before, lambda: f"left: {self.left()}, before: {before}", within)

    async def until(self, true: Callable[[], object], else_: Callable[[], str], within: float = PATIENCE) -> None:
        """Wait until something is so of which nobody tells; `else_` says what is, if it never comes to be."""
        deadline = asyncio.get_running_loop().time() + within
        while not true():
            assert asyncio.get_running_loop().time() < deadline, else_()
            await asyncio.sleep(0.02)


@asynccontextmanager
async def exchange(
    limits: Limits | None = None,
    catalogue: Catalogue | None = None,
    upstream: Callable[[Upstream], Upstream] = lambda real: real,
    faults: Script | None = None,
    session_seconds: float = LONGEST_LIFE,
) -> AsyncIterator[Exchange]:
    """Start it all, in a story of `run`, and let go of it in reverse; the supervisor must end without a failure.

    `faults` is what goes wrong on each connection to the model.
    """
    shelf = Shelf(catalogue or FOUR)
    tones, ear, mind, pool, ending = Tones(), Measure(), Echo(), await decoders(), Probe()
    parts = Parts(tones, ear, lambda pcm: len(pcm) / 48_000, mind, Loudness)
    engine = Server(parts, token=TOKEN, session_seconds=session_seconds, script=faults)
    async with engine.listen("127.0.0.1", 0) as port:
        model = upstream(Upstream(f"ws://127.0.0.1:{port}{PATH}", "gpt-realtime-2.1", TOKEN))
        equipment = Equipment(shelf, model, pool, limits or Limits())
        supervisor = launch(SupervisorActor(equipment), ending)
        rest = Rest(supervisor, shelf, "local engine", Readiness(model).would_answer)
        app = application(rest, supervisor, Metrics(equipment.figures, pool))
        serving = runner(app, shutdown_seconds=1.0)
        await serving.setup()
        await web.TCPSite(serving, "127.0.0.1", 0).start()
        address = "{}:{}".format(*serving.addresses[0][:2])
        try:
            addresses = (f"ws://{address}", f"http://{address}")
            insides = (model, equipment.figures, supervisor, shelf, tones, ear, mind, parts)
            yield Exchange(*addresses, engine, pool, *insides)
        finally:
            tones.free.set()
            ear.free.set()
            supervisor.tell(Stop())
            down = await ending.expect(Down)
            await serving.cleanup()
            await until(lambda: not pool.busy and not pool.waiting)  # a worker that was killed is replaced
    parts.close()
    assert down.cause is None
    assert pykka.ActorRegistry.get_all() == []
