"""The mailbox of an actor, and the order in which the actors of one loop take their turns."""

import asyncio
import time
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import get_ident
from typing import Any

ROUND_SECONDS = 0.001


class TurnQueue:
    """The turns that are due on one loop, run in one callback, in the order in which they were asked for.

    So a message from one actor to another is handled in the same round, before the loop polls its sockets again. A
    round ends after ROUND_SECONDS, or as long as all else took since the round before, if that is longer: so the actors
    have half of a loop that is full. The turns that are left run in the next; `behind` is true while there are some.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._due: deque[Callable[[], None]] = deque()
        self._asked = False
        self.behind = False
        self._ended = 0.0  # the last round, in `time.perf_counter`
        self.beat: Callable[[], None] | None = None
        """Called at the beginning of each round."""

    def add(self, turn: Callable[[], None]) -> None:
        """Run this turn when it is due. Only on the thread of the loop."""
        self._due.append(turn)
        if not self._asked:
            self._ask()

    def _ask(self) -> None:
        loop = self._loop()
        if loop is not None and not loop.is_closed():
            self._asked = True
            loop.call_soon(self._take)

    def _take(self) -> None:
        if self.beat:
            self.beat()
        now = time.perf_counter()
        enough = now + max(ROUND_SECONDS, now - self._ended) if self.behind else now + ROUND_SECONDS
        try:
            while self._due:
                self._due.popleft()()
                if (now := time.perf_counter()) > enough:
                    break
        finally:  # also if SystemExit leaves the loop, which may be run again
            self._asked = False  # and not before, or what is told in this round would ask for another one
            self.behind, self._ended = bool(self._due), now
            if self.behind:
                self._ask()


_rounds: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, TurnQueue] = weakref.WeakKeyDictionary()


def rounds_of(loop: asyncio.AbstractEventLoop) -> TurnQueue:
    """The rounds of this loop."""
    return _rounds.setdefault(loop, TurnQueue(loop))


class Mailbox(deque[Any]):
    """The FIFO of an actor: messages, in an Envelope if they want an answer. It asks for one turn at a time."""

    __slots__ = ("asked", "clock", "closed", "loop", "soon", "thread", "turn")

    loop: asyncio.AbstractEventLoop
    clock: Callable[[], float]  # by which a turn ends
    soon: Callable[[Callable[[], None]], object]  # by which a turn is asked for

    def __init__(self) -> None:
        super().__init__()
        self.turn: Callable[[], None] | None = None  # None before the start and after the end
        self.thread, self.asked, self.closed = 0, False, False

    def open(self, turn: Callable[[], None]) -> None:
        self.turn, self.loop, self.thread = turn, asyncio.get_running_loop(), get_ident()
        if clock := getattr(self.loop, "turn_clock", None):  # a stage, which decides itself whose turn is next
            self.clock, self.soon = clock, self.loop.call_soon
        else:
            self.clock, self.soon = time.perf_counter, rounds_of(self.loop).add
        if self:
            self.ask()

    def put(self, message: Any, /) -> None:
        self.append(message)
        if not self.asked:
            self.ask()

    def get(self) -> Any:
        return self.popleft()

    def empty(self) -> bool:
        return not self

    def ask(self) -> None:
        """Ask for a turn; from another thread through call_soon_threadsafe."""
        if self.turn is None:
            return
        self.asked = True
        if get_ident() == self.thread:
            self.soon(self.turn)
        else:
            with suppress(RuntimeError):  # the loop was closed
                self.loop.call_soon_threadsafe(self.turn)
