"""The event loop of a stage: nothing waits, and time jumps from timer to timer.

It offers what actors and simple tasks ask of a loop, and refuses what would make a run depend on the machine:
threads, sockets, processes.
"""

import asyncio
import threading
import weakref
from collections import deque
from collections.abc import Callable
from contextvars import Context
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, NoReturn, TypeVarTuple

from actors.runtime import LoopActor

Ts = TypeVarTuple("Ts")

NANOSECONDS = 10**9
MOST_STEPS = 1_000_000  # of one settle; more is two actors who will never stop telling each other something


class StageLoop(asyncio.AbstractEventLoop):
    """Runs callbacks in the order in which they were asked for; with a `seed`, actors take turns in a random order.

    Whatever the seed, callbacks of one actor keep their order, and so do all that are of no actor (tasks, futures).
    The clock counts whole nanoseconds, so that ten tenths of a second are one second.
    """

    def __init__(self, seed: int | None = None, most_steps: int = MOST_STEPS) -> None:
        self.faults: list[BaseException] = []
        """What callbacks raised and nobody caught, and what was refused to them."""
        self.tasks: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        self._ready: deque[tuple[Any, asyncio.Handle]] = deque()  # (the actor whose callback it is, the callback)
        self._timers: list[tuple[int, int, Any, asyncio.TimerHandle]] = []  # (due in ns, tie, its actor, it)
        self._ties = count()
        self._now = 0
        self._random = None if seed is None else Random(seed)
        self._flips = 0
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
                if not self._ready and not self._fire():
                    break
                self._step()
            else:
                raise AssertionError(f"the stage never comes to rest; the next callback is {self._ready[0][1]!r}")
        finally:
            self._settling = False
        self._raise_fault()

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass, settling at every timer on the way."""
        if seconds < 0:
            raise ValueError(f"time does not go back: {seconds}")
        end = self._now + round(seconds * NANOSECONDS)
        self.settle()
        while self._timers and self._timers[0][0] <= end:
            due, *_, timer = self._timers[0]
            if timer.cancelled():
                heappop(self._timers)
            else:
                self._now = max(self._now, due)
                self.settle()
        self._now = end

    def pending(self) -> list[tuple[Any, asyncio.TimerHandle]]:
        """The timers that are set, the earliest first, each with the actor that it is of, if any."""
        return [(owner, timer) for *_, owner, timer in sorted(self._timers) if not timer.cancelled()]

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
            if not self._ready:
                break
            self._step(faults=False)
        self._closed = True
        self._ready.clear()
        self._timers.clear()

    def turn_clock(self) -> float:
        """What ends an actor's turn: never time; with a seed the toss of a coin after each message."""
        if self._random:
            self._flips += self._random.getrandbits(1)
        return self._flips

    def _fire(self) -> bool:
        """Make ready what is due; True if that is anything."""
        while self._timers and self._timers[0][0] <= self._now:
            *_, owner, timer = heappop(self._timers)
            if not timer.cancelled():
                self._ready.append((owner, timer))
        return bool(self._ready)

    def _step(self, faults: bool = True) -> None:
        _, handle = self._ready.popleft() if self._random is None else self._draw(self._random)
        if not handle.cancelled():
            handle._run()
        if faults and self.faults:
            self._raise_fault()

    def _draw(self, random: Random) -> tuple[Any, asyncio.Handle]:
        """One of those who have something to do, and the first thing that they have to do."""
        owner = self._ready[random.randrange(len(self._ready))][0]
        place = next(place for place, ready in enumerate(self._ready) if ready[0] is owner)
        drawn = self._ready[place]
        del self._ready[place]
        return drawn

    def _raise_fault(self) -> None:
        if self.faults:
            raise self.faults.pop(0)

    # What asyncio asks of a loop.

    def time(self) -> float:
        """Seconds since the stage was set."""
        return self._now / NANOSECONDS

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append((_owner(callback), handle))
        return handle

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        due = round(when * NANOSECONDS)
        if due == self._now and when > self.time():
            due += 1  # later is later, or who waits for the rest of a rounding error waits for ever
        heappush(self._timers, (due, next(self._ties), _owner(callback), timer))
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


def _owner(callback: Callable[..., object]) -> Any:
    owner = getattr(callback, "__self__", None)
    return owner if isinstance(owner, LoopActor) else None


def settle() -> None:
    """Settle the stage that the caller is on; elsewhere, nothing."""
    loop = asyncio._get_running_loop()
    if isinstance(loop, StageLoop):
        loop.settle()
