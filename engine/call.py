"""One call: the tasks that move a session's events over its socket and do the work that it asks for."""

import asyncio
import re
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, ParamSpec, Protocol, TypeVar, assert_never

import orjson
from websockets.exceptions import ConnectionClosed

from engine.ear.vad import Silero
from engine.faults.faults import Deliver, Fail, Step, Take
from engine.socket import Line
from engine.worker import Worker
from realtime.server.acts import Act, Halt, Hear, Send, Speak, Think
from realtime.server.hearing import Detector
from realtime.server.session import Session
from realtime.server.settings import Event
from realtime.server.shape import Rejected
from upstream.facts import Turn

P = ParamSpec("P")
R = TypeVar("R")

MOST_UNSENT = 1000  # events: a client that reads this slowly is not read from either
MOST_TASKS = 64  # a client that asks for more work at once is not read until some is done
SENTENCE = re.compile(r".+?(?:[.!?\u0964\u2026]+(?=\s)\s*|\Z)", re.DOTALL)
SHORTEST_SPEECH = 0.15  # seconds: less is a click or a breath, and the ear would make up words for it


class Voice(Protocol):
    def say(self, text: str, voice: str) -> Iterator[bytes]:
        """PCM16 little-endian, mono, 24 kHz, one chunk per sentence as it is made."""


class Ear(Protocol):
    def hear(self, pcm: bytes, language: str | None) -> str:
        """The words in PCM16 24 kHz mono, "" when nothing intelligible was said."""


class Mind(Protocol):
    async def answer(self, instructions: str, turns: tuple[Turn, ...]) -> str:
        """What to say to the turns, as a persona of these instructions would."""


@dataclass(frozen=True)
class Parts:
    """What the sessions share: the voice and the ear with a thread each, and the mind.

    `spoken` gives the seconds of speech in a clip; it runs in the thread of the ear. `detector` makes what finds the
    turns in one session's audio; it runs on the loop, a little at a time.
    """

    voice: Voice
    ear: Ear
    spoken: Callable[[bytes], float]
    mind: Mind
    detector: Callable[[], Detector] = Silero
    mouth_thread: Worker = field(default_factory=lambda: Worker("voice"))
    ear_thread: Worker = field(default_factory=lambda: Worker("ear"))

    @property
    def queued(self) -> int:
        """Jobs that wait or run for any session."""
        return self.mouth_thread.queued + self.ear_thread.queued

    def close(self) -> None:
        self.mouth_thread.close()
        self.ear_thread.close()

    def listen(self, pcm: bytes, language: str | None) -> str:
        """The words in a clip, "" for one without speech; blocks."""
        return self.ear.hear(pcm, language) if self.spoken(pcm) >= SHORTEST_SPEECH else ""


class Call:
    """A line, its session, and their tasks; nothing of it outlives `run`.

    All that is said goes through one queue, and so does what the line is to do wrong.
    """

    def __init__(self, line: Line, session: Session, parts: Parts) -> None:
        self.session = session
        self.began = time.monotonic()
        self._socket = line
        self._faults = line.misbehaviour
        self._parts = parts
        self._unsent: asyncio.Queue[Step] = asyncio.Queue()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turns = {worker: asyncio.Lock() for worker in (parts.mouth_thread, parts.ear_thread)}
        self._group = asyncio.TaskGroup()

    async def run(self) -> None:
        """Serve until the client goes; any task that fails ends the call with an ExceptionGroup."""
        async with self._group:
            self._start("write", self._write())
            for age in self._faults.ages:
                self._start(f"at {age} s", self._later(age, self._grow_old, age))
            self._obey(self._faults.opened())
            self._do(self.session.begin())
            await self._read()
            for task in list(self._tasks.values()):
                task.cancel()

    async def _read(self) -> None:
        try:
            async for frame in self._socket:
                for acts in self._receive(frame):
                    self._do(acts)
                    await asyncio.sleep(0)  # whoever replays an hour at once leaves the others their turn
                if self._unsent.qsize() > MOST_UNSENT:
                    await self._unsent.join()
                while len(self._tasks) > MOST_TASKS:
                    await asyncio.wait(list(self._tasks.values()), return_when=asyncio.FIRST_COMPLETED)
        except ConnectionClosed:
            return

    def _receive(self, frame: str | bytes) -> Iterable[list[Act]]:
        if isinstance(frame, bytes):
            return [self._refuse("Send events as text frames of JSON.")]
        try:
            event = orjson.loads(frame)
        except orjson.JSONDecodeError as broken:
            return [self._refuse(f"Could not parse the event as JSON: {broken}.")]
        if not isinstance(event, dict):
            return [self._refuse("An event is a JSON object.")]
        return self._heed(event)

    def _heed(self, event: Event) -> Iterable[list[Act]]:
        """Let the session have the event, unless something else is to become of it."""
        for step in self._faults.received(event):
            if isinstance(step, Take):
                yield from self.session.steps(step.event)
            else:
                self._obey([step])

    def _refuse(self, why: str) -> list[Act]:
        return self.session.refuse(Rejected("invalid_json", why))

    async def _write(self) -> None:
        while True:
            await self._socket.carry_out(await self._unsent.get())
            self._unsent.task_done()

    def _obey(self, steps: Iterable[Step]) -> None:
        for step in steps:
            match step:
                case Fail():
                    # In a task: what the session has said along with what was struck comes first.
                    self._start("fail", self._later(0, self._fail, step))
                case Deliver(frame, after) if after:
                    self._start(f"late {id(step)}", self._later(after, self._unsent.put_nowait, Deliver(frame)))
                case _:
                    self._unsent.put_nowait(step)

    def _say(self, event: Event) -> None:
        self._obey(self._faults.sending(event))

    def _grow_old(self, age: float) -> None:
        self._obey(self._faults.aged(age))

    def _fail(self, step: Fail) -> None:
        self._do(self.session.fail(step.error))

    def _do(self, acts: list[Act]) -> None:
        for act in acts:
            match act:
                case Send(event, after=0.0):
                    self._say(event)
                case Send(event, after):
                    self._start(event["event_id"], self._later(after, self._say, event))
                case Hear():
                    self._start(act.item_id, self._hear(act))
                case Think():
                    self._start(act.response_id, self._think(act))
                case Speak():
                    self._start(act.response_id, self._speak(act))
                case Halt(response_id):
                    self._stop(response_id)
                case _:
                    assert_never(act)

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = self._group.create_task(work)
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._tasks.pop(name) if self._tasks.get(name) is task else None)

    def _stop(self, name: str) -> None:
        if task := self._tasks.get(name):
            task.cancel()

    async def _later(self, seconds: float, act: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        await asyncio.sleep(seconds)
        act(*args, **kwargs)

    async def _hear(self, work: Hear) -> None:
        words = await self._in(self._parts.ear_thread, self._parts.listen, work.pcm, work.language)
        self._do(self.session.heard(work.item_id, words))

    async def _think(self, work: Think) -> None:
        text = await self._parts.mind.answer(work.instructions, work.turns)
        self._do(self.session.thought(work.response_id, text))

    async def _speak(self, work: Speak) -> None:
        """Sentence by sentence, so that callers share the voice fairly, and no faster than the socket takes it."""
        for sentence in sentences(work.text):
            words = sentence
            chunks = await self._in(self._parts.mouth_thread, self._parts.voice.say, sentence, work.voice)
            while pcm := await self._in(self._parts.mouth_thread, _next_of, chunks):
                self._do(self.session.spoke(work.response_id, words, pcm))
                words = ""
                await self._unsent.join()
            if words:
                self._do(self.session.spoke(work.response_id, words, b""))
        self._do(self.session.finished(work.response_id))

    async def _in(self, worker: Worker, job: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """A job in a shared thread, one at a time for this call, so that no call fills the queue of all."""
        async with self._turns[worker]:
            return await worker.run(job, *args, **kwargs)


def _next_of(chunks: Iterator[bytes]) -> bytes:
    """The next chunk, empty at the end."""
    return next(chunks, b"")


def sentences(text: str) -> list[str]:
    """The text cut after its full stops, question marks, exclamation marks and dandas; joined it is the text."""
    return SENTENCE.findall(text)
