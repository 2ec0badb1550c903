"""One call: the tasks that move a session's events over its socket and do the work that it asks for."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, ParamSpec, assert_never

import orjson
from websockets.exceptions import ConnectionClosed

from engine.faults.faults import Deliver, Fail, Step, Take
from engine.parts import Parts
from engine.socket import Line
from engine.work import Work
from realtime.server.acts import Act, Halt, Hear, Send, Speak, Think
from realtime.server.session import Session
from realtime.server.settings import Event
from realtime.server.shape import Rejected

P = ParamSpec("P")

MOST_UNSENT = 1000  # events: a client that reads this slowly is not read from either
MOST_TASKS = 64  # a client that asks for more work at once is not read until some is done
FULL = {
    "type": "server_error",
    "code": "server_is_overloaded",
    "message": "The engine has more to do than it can. Please try again later.",
}


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
        self._work = Work(parts)
        self._since = self.began  # when the caller began to wait for what is being answered
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
        if self._work.is_full(new=not self.session.answered):
            self._do(self.session.unheard(work.item_id, FULL))
            return
        since = self._since = time.monotonic()
        words = await self._work.hear(work.pcm, work.language, since)
        self._do(self.session.heard(work.item_id, words))

    async def _think(self, work: Think) -> None:
        if work.refusable:
            if self._work.is_full(new=not self.session.answered):
                self._do(self.session.fail(FULL, work.response_id))
                return
            self._since = time.monotonic()
        text = await self._parts.mind.answer(work.instructions, work.turns)
        self._do(self.session.thought(work.response_id, text))

    async def _speak(self, work: Speak) -> None:
        """No faster than the socket takes it."""
        async for words, pcm in self._work.say(work.text, work.voice, self._since):
            self._do(self.session.spoke(work.response_id, words, pcm))
            await self._unsent.join()
        self._do(self.session.finished(work.response_id))
