"""One call of the engine: the tasks between a `Session`, which has no I/O, its connection, and the shared parts.

    connection ─▶ _read ─▶ faults.received ─▶ session.steps ─▶ acts ─▶ _perform
                                                                        │
        Send ─▶ faults.sending ─▶ _unsent (a queue) ─▶ _write ─▶ connection
        Hear, Think, Speak ─▶ a task each ─▶ CallJobs or the mind ─▶ back into the session, which returns further acts
        Halt ─▶ cancels the task of a response

The session decides and returns acts; this file performs them. Tasks are stored by name (the id of an item or of a
response), so that an act can cancel one. Everything that is sent goes through one queue, so the order is kept also for
the faults of a script (`misbehaviour.py`), which are steps in the same queue.

Backpressure: the socket is not read while too many events are unsent or too many tasks run, and a reply is synthesised
only as fast as its audio is sent, which may be at a pace (pace.py). If the engine has too much to do (load.py), a turn
is refused with FULL.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, ParamSpec, assert_never

import orjson
from websockets.exceptions import ConnectionClosed

from engine.call_jobs import CallJobs
from engine.connection import FaultyConnection
from engine.faults.faults import Accept, Deliver, Divide, Fail, Step
from engine.languages import code_of, unheard, unspoken
from engine.pace import Pace
from engine.parts import Parts, Skilled
from realtime.server.acts import Act, Halt, Hear, Send, Speak, Think
from realtime.server.session import Session
from realtime.server.settings import Event
from realtime.server.shape import Rejected

P = ParamSpec("P")

MOST_UNSENT = 1000  # events; above that, the client is not read until it has read them
MOST_TASKS = 64  # above that, the client is not read until one has ended
FULL = {
    "type": "server_error",
    "code": "server_is_overloaded",
    "message": "The engine has more to do than it can. Please try again later.",
}


class Call:
    """A connection, its session, and their tasks, all of which end with `run`. `began` is by time.monotonic.

    Answers are spoken at `pace`, see pace.py.
    """

    def __init__(self, connection: FaultyConnection, session: Session, parts: Parts, pace: float = 0.0) -> None:
        self.session = session
        self.began = time.monotonic()
        self._socket = connection
        self._faults = connection.misbehaviour
        self._parts = parts
        self._pace = pace
        self._unsent: asyncio.Queue[Step] = asyncio.Queue()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._jobs = CallJobs(parts)
        self._waiting_since = self.began  # when the caller began to wait for the answer that is being made
        self._group = asyncio.TaskGroup()

    async def run(self) -> None:
        """Serve until the client disconnects. Raises an ExceptionGroup if any task fails."""
        async with self._group:
            self._start("write", self._write())
            for age in self._faults.ages:
                self._start(f"at {age} s", self._later(age, self._age, age))
            self._execute(self._faults.opened())
            self._perform(self.session.begin())
            await self._read()
            for task in list(self._tasks.values()):
                task.cancel()

    async def _read(self) -> None:
        try:
            async for frame in self._socket:
                for acts in self._receive(frame):
                    self._perform(acts)
                    await asyncio.sleep(0)  # yields to other calls, as one client may append an hour of audio at once
                if self._unsent.qsize() > MOST_UNSENT:
                    await self._unsent.join()
                while len(self._tasks) > MOST_TASKS:
                    await asyncio.wait(list(self._tasks.values()), return_when=asyncio.FIRST_COMPLETED)
        except ConnectionClosed:
            return

    def _receive(self, frame: str | bytes) -> Iterable[list[Act]]:
        """Parse a frame and pass it to the session. Yields the acts that follow, step by step."""
        if isinstance(frame, bytes):
            return [self._refuse("Send events as text frames of JSON.")]
        try:
            event = orjson.loads(frame)
        except orjson.JSONDecodeError as broken:
            return [self._refuse(f"Could not parse the event as JSON: {broken}.")]
        if not isinstance(event, dict):
            return [self._refuse("An event is a JSON object.")]
        return self._dispatch(event)

    def _dispatch(self, event: Event) -> Iterable[list[Act]]:
        """Pass an event to the session, unless a fault changes what becomes of it."""
        for step in self._faults.received(event):
            if isinstance(step, Accept):
                yield from self.session.steps(step.event)
            else:
                self._execute([step])

    def _refuse(self, why: str) -> list[Act]:
        return self.session.refuse(Rejected("invalid_json", why))

    async def _write(self) -> None:
        while True:
            await self._socket.execute(await self._unsent.get())
            self._unsent.task_done()

    def _execute(self, steps: Iterable[Step]) -> None:
        """Queue steps for the connection, in order."""
        for step in steps:
            match step:
                case Fail():
                    # In a task, so that it follows the other events that the session sends now.
                    self._start("fail", self._later(0, self._fail, step))
                case Divide():
                    self.session.divide()
                case Deliver(frame, after) if after:
                    self._start(f"late {id(step)}", self._later(after, self._unsent.put_nowait, Deliver(frame)))
                case _:
                    self._unsent.put_nowait(step)

    def _send(self, event: Event) -> None:
        self._execute(self._faults.sending(event))

    def _age(self, age: float) -> None:
        self._execute(self._faults.aged(age))

    def _fail(self, step: Fail) -> None:
        self._perform(self.session.fail(step.error))

    def _perform(self, acts: list[Act]) -> None:
        for act in acts:
            match act:
                case Send(event, after=0.0):
                    self._send(event)
                case Send(event, after):
                    self._start(event["event_id"], self._later(after, self._send, event))
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
        language = code_of(work.language)
        if why := unheard(language):
            self._perform(self.session.unheard(work.item_id, why))
            return
        if self._jobs.is_full(new=not self.session.answered):
            self._perform(self.session.unheard(work.item_id, FULL))
            return
        since = self._waiting_since = time.monotonic()
        words = await self._jobs.transcribe(work.pcm, language, since)
        self._perform(self.session.heard(work.item_id, words))

    async def _think(self, work: Think) -> None:
        if work.refusable:
            if self._jobs.is_full(new=not self.session.answered):
                self._perform(self.session.fail(FULL, work.response_id))
                return
            self._waiting_since = time.monotonic()
        mind = self._parts.mind
        if work.tools and isinstance(mind, Skilled):
            answer = await mind.act(work.instructions, work.turns, work.tools)
        else:
            answer = await mind.answer(work.instructions, work.turns)
        if isinstance(answer, str):
            self._perform(self.session.thought(work.response_id, answer))
        else:
            self._perform(self.session.called(work.response_id, answer))

    async def _speak(self, work: Speak) -> None:
        """Synthesise a reply, no faster than its audio is sent."""
        pace, spoken = Pace(self._pace), False
        async for words, pcm in self._jobs.synthesise(work.text, work.voice, self._waiting_since):
            spoken = spoken or bool(pcm)
            for at, piece in enumerate(pace.pieces(pcm)):
                if wait := pace.wait(piece, time.monotonic()):
                    await asyncio.sleep(wait)
                self._perform(self.session.spoke(work.response_id, "" if at else words, piece))
            await self._unsent.join()
        if not spoken and (why := unspoken(work.text)):
            self._perform(self.session.fail(why, work.response_id))
        else:
            self._perform(self.session.finished(work.response_id))
