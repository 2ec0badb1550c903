"""References: a Ref is anything that can be told; LoopRef and LoopFuture are Pykka's for actors on an event loop.

Written against pykka 4.5, of which it uses these internals: Envelope, the stop message and a reference's actor.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Generator
from concurrent import futures
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar

import pykka
from pykka import ActorRegistry
from pykka._envelope import Envelope
from pykka.messages import _ActorStop

from actors.runtime.mailbox import Mailbox

M_contra = TypeVar("M_contra", contravariant=True)
T = TypeVar("T")
OptExcInfo = tuple[Any, Any, Any]

dead_letters = 0
"""The number of messages to actors that had already ended, in this process."""


def alive() -> Counter[str]:
    """The number of living actors of this process, by name."""
    return Counter(ref.actor_class.name for ref in ActorRegistry.get_all())


def on_loop() -> bool:
    """True on a thread that runs an event loop: to wait for an actor there would be a deadlock."""
    return asyncio._get_running_loop() is not None


class Ref(Protocol[M_contra]):
    """Anything that can be told an M: an actor, a probe, a socket's outbox."""

    def tell(self, message: M_contra, /) -> None: ...


class Flag:
    """In place of Pykka's `threading.Event` that an actor has ended: nobody waits for it, and it takes a KB less."""

    __slots__ = ("_set",)

    def __init__(self) -> None:
        self._set = False

    def set(self) -> None:
        """The actor has ended."""
        self._set = True

    def is_set(self) -> bool:
        """True once the actor has ended."""
        return self._set


class LoopFuture(pykka.Future[T]):
    """A reply that has not come yet: a thread may `get()` it, the loop may only await it."""

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
                raise  # the actor answered with a TimeoutError of its own
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

    def __init__(self, actor: pykka.Actor) -> None:
        super().__init__(actor)

    @property
    def backlog(self) -> int:
        """The number of messages that wait: whoever reads from a socket stops while there are too many."""
        return len(self.actor_inbox)

    def tell(self, message: M_contra, /) -> None:
        """Put a message into the mailbox; if the actor has ended it is counted and dropped."""
        mailbox = self.actor_inbox
        if mailbox.closed:
            global dead_letters  # noqa: PLW0603  # one number for the process
            dead_letters += 1
            return
        mailbox.append(message)  # and not `put`: this is done twice for every frame of audio
        if not mailbox.asked:
            mailbox.ask()

    def snapshot(self) -> Any:
        """The actor's own `snapshot()`, on the thread of its loop; raises pykka.ActorDeadError once it has ended."""
        actor: Any = self._actor_weakref()
        if actor is None or self.actor_stopped.is_set():
            raise pykka.ActorDeadError(f"{self} has ended")
        return actor.snapshot()

    def ask(self, message: Any, *, block: bool = True, timeout: float | None = None) -> Any:
        """As Pykka's, but raises RuntimeError where it would block the loop. Actors never ask."""
        if block and on_loop():
            raise RuntimeError("ask() would block the event loop: await ask(..., block=False)")
        reply = super().ask(message, block=False)
        if self.actor_stopped.is_set():  # it ended while we asked, and may not have seen the message
            reply.set_exception((pykka.ActorDeadError, pykka.ActorDeadError(f"{self} not found"), None))
        return reply.get(timeout=timeout) if block else reply

    def stop(self, *, block: bool = True, timeout: float | None = None) -> Any:
        """End the actor and its children; the reply is True, or False if it had ended already."""
        if block and on_loop():
            raise RuntimeError("stop() would block the event loop: await stop(block=False)")
        reply: LoopFuture[bool] = LoopFuture()
        if not self.actor_stopped.is_set():
            self.actor_inbox.put(Envelope(_ActorStop(), reply_to=reply))
        if self.actor_stopped.is_set():
            reply.set(False)
        return reply.get(timeout=timeout) if block else reply


def refuse(message: Any, reply_to: "pykka.Future[Any] | None", ref: pykka.ActorRef[Any]) -> None:
    """Answer whoever asked an actor that has ended: a stop with True, all else with ActorDeadError."""
    if reply_to is None:
        return
    if isinstance(message, _ActorStop):
        reply_to.set(True)
    else:
        error = pykka.ActorDeadError(f"{ref} stopped before handling the message")
        reply_to.set_exception((pykka.ActorDeadError, error, None))
