"""The event loop of a stage: nothing waits, and time jumps from timer to timer.

It offers what actors and simple tasks ask of a loop, and refuses what would make a run depend on the machine:
threads, sockets, processes.
"""

import asyncio
import threading
import weakref
from collections.abc import Callable
from contextvars import Context
from typing import Any, NoReturn, TypeVarTuple

from actors.runtime import LoopActor
from actors.testing.schedule import NANOSECONDS, Schedule

Ts = TypeVarTuple("Ts")

MOST_STEPS = 1_000_000  # of one settle; more is two actors who will never stop telling each other something


class StageLoop(asyncio.AbstractEventLoop):
    """Runs the callbacks of a schedule; with a `seed`, actors take turns in a random order.

    Every fault is raised where the test settles: `faults` are what callbacks raised and nobody caught, and what was
    refused to them.
    """

    def __init__(self, seed: int | None = None, most_steps: int = MOST_STEPS) -> None:
        self.faults: list[BaseException] = []
        self.tasks: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        self.schedule = Schedule(seed)
        self.turn_clock = self.schedule.turn_clock  # the runtime of actors asks for it
        self._most_steps = most_steps
        self._thread = threading.get_ident()
        self._settling = self._closed = False

    # For the stage.

    def settle(self) -> None:
        """Run what is ready and due, and what follows from it, until nothing is; raises the first fault."""
        if self._settling:
            raise RuntimeError("only a test settles a stage: an actor tells, and is told")
        self._settling = True
        try:
            for _ in range(self._most_steps):
                if not self._step():
                    break
            else:
                raise AssertionError(f"the stage never comes to rest; the next callback is {self.schedule.take()!r}")
        finally:
            self._settling = False
        self._raise_fault()

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass, settling at every timer on the way."""
        if seconds < 0:
            raise ValueError(f"time does not go back: {seconds}")
        schedule = self.schedule
        end = schedule.now + round(seconds * NANOSECONDS)
        self.settle()
        while (due := schedule.due(end)) is not None:
            schedule.now = max(schedule.now, due)
            self.settle()
        schedule.now = end

    def refuse(self, why: str) -> NoReturn:
        """Raise, and see to it that the test fails also if an actor or a task catches it."""
        error = AssertionError(why)
        if self._settling or threading.get_ident() != self._thread:
            self.faults.append(error)
        raise error

    def close(self) -> None:
        """Cancel all tasks, let them end, and run nothing more."""
        for task in [task for task in self.tasks if not task.done()]:
            task.cancel()
        for _ in range(self._most_steps):
            if not (handle := self.schedule.take()):
                break
            _run(handle)
        self._closed = True
        self.schedule.clear()

    def _step(self) -> bool:
        """Run one callback, or a timer that is due where none is ready; False if there is nothing to run."""
        handle = self.schedule.take()
        if not handle:
            self.schedule.fire()
            handle = self.schedule.take()
        if handle:
            _run(handle)
            self._raise_fault()
        return handle is not None

    def _raise_fault(self) -> None:
        if self.faults:
            raise self.faults.pop(0)

    # What asyncio asks of a loop.

    def time(self) -> float:
        """Seconds since the stage was set."""
        return self.schedule.now / NANOSECONDS

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self.schedule.add(_owner(callback), handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self.schedule.add_timer(_owner(callback), timer)
        return timer

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        if threading.get_ident() != self._thread:
            self.refuse("a stage has one thread: what another thread would tell, let the test tell")
        return self.call_soon(callback, *args, context=context)

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, **kwargs)
        self.tasks.add(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.faults.append(context.get("exception") or AssertionError(context["message"]))

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return not self._closed

    def is_closed(self) -> bool:
        return self._closed

    def _timer_handle_cancelled(self, timer: asyncio.TimerHandle) -> None:
        """It stays in the heap, and is passed over there."""

    def _outside(self, *args: Any, **kwargs: Any) -> NoReturn:
        self.refuse("a stage has no threads, sockets or processes: give the actor a collaborator that the test holds")

    run_in_executor = getaddrinfo = create_connection = create_server = _outside  # type: ignore[assignment]
    create_unix_connection = create_unix_server = create_datagram_endpoint = _outside
    subprocess_exec = subprocess_shell = _outside


def _run(handle: asyncio.Handle) -> None:
    if not handle.cancelled():
        handle._run()


def _owner(callback: Callable[..., object]) -> Any:
    owner = getattr(callback, "__self__", None)
    return owner if isinstance(owner, LoopActor) else None


def settle() -> None:
    """Settle the stage that the caller is on; elsewhere, nothing."""
    loop = asyncio._get_running_loop()
    if isinstance(loop, StageLoop):
        loop.settle()
