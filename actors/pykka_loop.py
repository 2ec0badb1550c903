"""What Pykka's documented hooks need to run an actor on the event loop: an inbox, a future and a reference.

Written against pykka 4.5, of which it uses these internals: Envelope and the stop message.
"""

import asyncio
import sys
import threading
import time
import weakref
from collections import Counter, deque
from collections.abc import Callable, Generator
from concurrent import futures
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pykka
from pykka import ActorRegistry
from pykka._envelope import Envelope
from pykka.messages import _ActorStop

if TYPE_CHECKING:
    from actors.base import LoopActor

ROUND_SECONDS = 0.001

M_contra = TypeVar("M_contra", contravariant=True)
T = TypeVar("T")
OptExcInfo = tuple[Any, Any, Any]

dead_letters = 0
"""How many messages were told to actors that had already ended, in this process."""


def alive() -> Counter[str]:
    """How many actors there are in this process, by what their parents know them by."""
    return Counter(ref.actor_class.name for ref in ActorRegistry.get_all())


def on_loop() -> bool:
    """True on a thread that runs an event loop, where waiting for an actor would deadlock."""
    return asyncio._get_running_loop() is not None


class Round:
    """The turns that are due on one loop, taken in the order in which they were asked for, in one callback.

    What one actor tells another is so handled in the same round, before the loop looks at its sockets again; a round
    that takes longer than ROUND_SECONDS is broken off and goes on after that.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._due: deque[Callable[[], None]] = deque()
        self._asked = False

    def add(self, turn: Callable[[], None]) -> None:
        """Take this turn when it is due; on the loop's own thread."""
        self._due.append(turn)
        if not self._asked:
            self._ask()

    def _ask(self) -> None:
        loop = self._loop()
        if loop is not None and not loop.is_closed():
            self._asked = True
            loop.call_soon(self._take)

    def _take(self) -> None:
        self._asked = False
        enough = time.perf_counter() + ROUND_SECONDS
        try:
            while self._due:
                self._due.popleft()()
                if time.perf_counter() > enough:
                    break
        finally:  # also where SystemExit leaves the loop: it may be run again
            if self._due and not self._asked:
                self._ask()


_rounds: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Round] = weakref.WeakKeyDictionary()


class Mailbox(deque[Any]):
    """One FIFO per actor: messages, and an Envelope around each that wants an answer. It asks for a turn, once."""

    turn: Callable[[], None] | None = None  # None before the start and after the end
    loop: asyncio.AbstractEventLoop
    thread = 0
    asked = False
    clock: Callable[[], float]  # ends turns
    soon: Callable[[Callable[[], None]], object]  # takes them

    def open(self, turn: Callable[[], None]) -> None:
        self.turn, self.loop, self.thread = turn, asyncio.get_running_loop(), threading.get_ident()
        if clock := getattr(self.loop, "turn_clock", None):  # a loop that decides by itself whose turn it is
            self.clock, self.soon = clock, self.loop.call_soon
        else:
            self.clock, self.soon = time.perf_counter, _rounds.setdefault(self.loop, Round(self.loop)).add
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
        if threading.get_ident() == self.thread:
            self.soon(self.turn)
        else:
            with suppress(RuntimeError):  # the loop was closed
                self.loop.call_soon_threadsafe(self.turn)


class LoopFuture(pykka.Future[T]):
    """A reply that is still to come: a thread may `get()` it, the loop may only await it."""

    def __init__(self) -> None:
        super().__init__()
        self._reply: futures.Future[Any] = futures.Future()

    def get(self, *, timeout: float | None = None) -> Any:
        """Wait for the reply.

        Raises pykka.Timeout after `timeout` seconds, RuntimeError where waiting would block the loop.
        """
        if on_loop() and not self._reply.done():
            raise RuntimeError("get() would block the event loop: await the future instead")
        try:
            return self._reply.result(timeout)
        except futures.TimeoutError:
            if self._reply.done():
                raise  # the actor's own answer was a TimeoutError
            raise pykka.Timeout(f"{timeout} seconds") from None

    def set(self, value: Any = None) -> None:
        with suppress(futures.InvalidStateError):  # the first answer counts
            self._reply.set_result(value)

    def set_exception(self, exc_info: OptExcInfo | None = None) -> None:
        with suppress(futures.InvalidStateError):
            self._reply.set_exception((exc_info or sys.exc_info())[1])

    def __await__(self) -> Generator[None, None, T]:
        return asyncio.shield(asyncio.wrap_future(self._reply)).__await__()


class LoopRef(pykka.ActorRef[Any], Generic[M_contra]):
    """A reference that never blocks the loop: `tell` always returns at once and never raises."""

    actor_inbox: Mailbox

    def __init__(self, actor: "LoopActor[M_contra]") -> None:
        super().__init__(actor)

    @property
    def backlog(self) -> int:
        """How many messages wait for it: whoever reads from a socket stops while there are too many."""
        return len(self.actor_inbox)

    def tell(self, message: M_contra, /) -> None:
        """Put a message in the mailbox; to the dead it is counted and dropped."""
        if self.actor_stopped.is_set():
            global dead_letters  # noqa: PLW0603  # a figure of the process
            dead_letters += 1
            return
        self.actor_inbox.put(message)

    def ask(self, message: Any, *, block: bool = True, timeout: float | None = None) -> Any:
        """As Pykka's, but refuses to block the loop with RuntimeError. Actors never ask."""
        if block and on_loop():
            raise RuntimeError("ask() would block the event loop: await ask(..., block=False)")
        reply = super().ask(message, block=False)
        if self.actor_stopped.is_set():  # it ended while we asked, and may not have seen the message
            reply.set_exception((pykka.ActorDeadError, pykka.ActorDeadError(f"{self} not found"), None))
        return reply.get(timeout=timeout) if block else reply

    def stop(self, *, block: bool = True, timeout: float | None = None) -> Any:
        """End the actor and its children; the reply is True, or False for an actor already dead."""
        if block and on_loop():
            raise RuntimeError("stop() would block the event loop: await stop(block=False)")
        reply: LoopFuture[bool] = LoopFuture()
        if not self.actor_stopped.is_set():
            self.actor_inbox.put(Envelope(_ActorStop(), reply_to=reply))
        if self.actor_stopped.is_set():
            reply.set(False)
        return reply.get(timeout=timeout) if block else reply
