"""LoopActor: Pykka's actor on the event loop, with a life that always ends in exactly one Down.

What is guaranteed:

- Order: one mailbox per actor, first in first out. Nothing overtakes, not a stop, not a Down, not a timer.
- At most once: a message is handled once, or not at all when the actor ends before its turn comes.
- A turn ends after TURN_SECONDS or TURN_MESSAGES, then the other actors get theirs.
- `tell` never raises and never blocks, from any thread. To the dead it is counted (`dead_letters`) and dropped; what
  waited when the actor ended is dropped as well, but an `ask` among it gets ActorDeadError and a `stop` its True.
- `Boot` is the first message. A constructor only assigns; whatever can fail happens after Boot.
- Death: whatever ends an actor (a stop, a crash in any handler or in `on_stop`, a BaseException), it handles nothing
  more, its children are stopped in reverse and given CHILDREN_SECONDS to end, `on_stop` runs once, and its parent, and
  nobody else, is told `Down` once. A child that takes longer goes on without a parent, until it ends by itself.
- A crash is logged once, with its traceback. KeyboardInterrupt and SystemExit are a crash of their actor like any
  other, and then end the process in order; nothing else does.
- Nothing is left: an actor that has ended has no attributes of its own any more, so that their memory is free at once.
- A timer is a message, keyed by its type: one that was set again or cancelled is never delivered.

Bounds. A mailbox is bounded by those who tell; each of them has a bound of its own:

- a caller's socket -> session: the reader stops while MOST_UNHANDLED messages wait (web/endpoint.py), and closes a
  caller who sends too many (actors/call/refusals.py);
- the upstream's socket -> bridge: nothing is read while MOST_UNHANDLED frames wait (upstream/link.py);
- bridge -> session: a few facts for a frame; the model says at most REPLY_TOKENS to each of MOST_ASKED asks;
- session -> bridge, session -> persona, and back: a few for each message handled, never in a loop;
- decoders -> session: one answer for the one clip in hand (actors/call/clips.py);
- session -> supervisor: one for a claim, one for a loss, one for its end; supervisor -> session: one for each of these
  events in the user's other calls; trial -> supervisor: one;
- a socket -> supervisor: one question for each connection, which waits for the answer;
- timers: one of each type; children: one Down each.

Where one of them fails all the same, an actor for which more than `most_waiting` messages wait ends with Overrun, and a
session ends with its child: the producer is at fault, and no other call pays for it.

Given up of Pykka's promises: proxies, composed futures (`map`, `join`), `on_start` and `on_failure`, an actor that
lives on after an `ask` that failed, and `ask`, `stop` and `stop_all` that wait on the thread of the loop: they raise.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeAlias, TypeVar, cast

import pykka
from pykka import ActorDeadError, ActorRegistry
from pykka._envelope import Envelope
from pykka.messages import _ActorStop

from actors.runtime.mailbox import Mailbox
from actors.runtime.ref import LoopFuture, LoopRef, Ref
from actors.runtime.signals import Boot, ChildrenDone, Down, MailboxOverflow, TimerFired
from actors.runtime.watchdog import running

log = logging.getLogger(__name__)

M = TypeVar("M")
N = TypeVar("N")
P = ParamSpec("P")

TURN_SECONDS = 0.001
TURN_MESSAGES = 32
CHILDREN_SECONDS = 2.0
MOST_WAITING = 10_000

SIGNALS = frozenset(
    {Down, ChildrenDone, TimerFired, _ActorStop, Envelope}
)  # what the base takes itself, or looks at first

Reply: TypeAlias = "pykka.Future[Any] | None"
Hired: TypeAlias = LoopRef[M]
"""What `hire` returns: it can be told, and it can be stopped."""


class LoopActor(pykka.Actor, Generic[M]):
    """An actor that takes its turns on the event loop. Handlers are synchronous and short."""

    name = "actor"
    """What its parent knows it by; children of one name are told apart by `incarnation`, from 1."""

    most_waiting = MOST_WAITING
    """Messages that may wait for it; over that it ends, with Overrun as the cause."""

    def __init__(self) -> None:
        super().__init__()
        self._actor_ref = LoopRef[M](self)
        self.incarnation = 1
        self._parent: Ref[Down] | None = None
        self._children: dict[LoopRef[Any], LoopActor[Any]] = {}
        self._hired: Counter[str] = Counter()
        self._alarms: dict[type, asyncio.TimerHandle] = {}
        self._ending = False
        self._cause: BaseException | None = None
        self._stoppers: list[pykka.Future[Any]] = []
        self._lasting = frozenset(vars(self))  # what it still has when it has ended

    # What an actor does.

    @property
    def me(self) -> LoopRef[M]:
        """The reference by which others may tell me."""
        return cast(LoopRef[M], self._actor_ref)

    def on_receive(self, message: M) -> Any:
        """Handle one message: one `match`, with `assert_never` at its end."""
        raise NotImplementedError

    def on_rest(self) -> None:
        """The turn is over: hand on, in one piece, what its messages brought together."""

    def on_stop(self) -> None:
        """Let go of what is not an actor. Runs once, however the actor ended, after its children."""

    def hire(self, actor: "Callable[P, LoopActor[N]]", /, *args: P.args, **kwargs: P.kwargs) -> "Hired[N]":
        """Start a child; mypy checks its arguments and all that it is ever told."""
        if self._ending:
            raise RuntimeError(f"{self.name} is ending and hires nobody")
        child = actor(*args, **kwargs)
        self._hired[child.name] += 1
        child.incarnation = self._hired[child.name]
        self._children[child.me] = child
        launch(child, self.me)  # type: ignore[arg-type]  # who hires, handles Down
        return child.me

    def after(self, seconds: float, message: M) -> None:
        """Tell myself `message` in so many seconds, unless it is set again or cancelled before."""
        self.cancel(type(message))
        handle = asyncio.get_running_loop().call_later(seconds, self._ring, message)
        self._alarms[type(message)] = handle

    def cancel(self, kind: type) -> None:
        """Forget the timer whose message is of this type, also if it has already fired."""
        if alarm := self._alarms.pop(kind, None):
            alarm.cancel()

    def end(self, cause: BaseException | None = None) -> None:
        """End this actor after the message in hand; `cause` goes into its Down, no traceback into the log."""
        self._cause = self._cause or cause
        if self._ending:
            return
        self._ending = True
        for kind in list(self._alarms):
            self.cancel(kind)
        wait = asyncio.get_running_loop().call_later(CHILDREN_SECONDS, self._put, ChildrenDone())
        self._alarms[ChildrenDone] = wait
        self._end_youngest()

    def _end_youngest(self) -> None:
        """Children end one by one, in reverse; then it is our turn."""
        if self._children:
            next(reversed(self._children)).actor_inbox.put(_ActorStop())
        else:
            self._put(ChildrenDone())

    # Pykka's hooks for new actor types.

    @staticmethod
    def _create_actor_inbox() -> Mailbox:
        return Mailbox()

    @staticmethod
    def _create_future() -> LoopFuture[Any]:
        return LoopFuture()

    def _start_actor_loop(self) -> None:
        mailbox = cast(Mailbox, self.actor_inbox)
        mailbox.appendleft(Boot())
        mailbox.open(self._turn)

    # Turns.

    def _turn(self) -> None:
        mailbox = cast(Mailbox, self.actor_inbox)
        mailbox.asked = False
        if not mailbox or mailbox.turn is None:
            return  # it has ended meanwhile
        if (waiting := len(mailbox)) > running.deepest:
            running.deepest = waiting
        if waiting > self.most_waiting and not self._ending:
            self._overrun(waiting)
        running.actor = self
        try:
            self._take_some(mailbox)
        finally:
            running.actor = running.message = None
        if mailbox and not mailbox.asked:
            mailbox.ask()

    def _take_some(self, mailbox: Mailbox) -> None:
        clock = mailbox.clock
        enough = clock() + TURN_SECONDS
        for _ in range(TURN_MESSAGES):
            running.message = message = mailbox.popleft()
            if self._ending or type(message) in SIGNALS:
                self._take(message)
            else:
                self._handle(message)
            if not mailbox or clock() > enough:
                break
        if not self._ending:
            self._rest()

    def _rest(self) -> None:
        try:
            self.on_rest()
        except BaseException as error:
            self._crash("resting", error)

    def _overrun(self, waiting: int) -> None:
        log.error("%s %d is told too much: %d messages wait", self.name, self.incarnation, waiting)
        self.end(MailboxOverflow(f"{waiting} messages waited for {self.name} {self.incarnation}"))

    def _take(self, message: Any) -> None:
        """What is not simply for `on_receive`: the base's own signals, asks, and all that comes while it ends."""
        reply_to: Reply = None
        if isinstance(message, Envelope):
            message, reply_to = message.message, message.reply_to
        match message:
            case Down(ref=ref) if self._children.pop(ref, None) and self._ending:
                self._end_youngest()
            case ChildrenDone():
                self._finish()
            case _ActorStop():
                if reply_to is not None:
                    self._stoppers.append(reply_to)
                self.end()
            case _ if self._ending:
                _refuse(message, reply_to, self._actor_ref)
            case TimerFired():
                if self._alarms.get(type(message.message)) is message.alarm:
                    del self._alarms[type(message.message)]
                    self._handle(message.message)
            case _:
                self._handle(message, reply_to)

    def _handle(self, message: Any, reply_to: Reply = None) -> None:
        try:
            answer = self.on_receive(message)
        except BaseException as error:
            if reply_to is not None:
                reply_to.set_exception((type(error), error, error.__traceback__))
            self._crash(type(message).__name__, error)
        else:
            if reply_to is not None:
                reply_to.set(answer)

    def _crash(self, at: str, error: BaseException) -> None:
        log.error("%s %d crashed on %s", self.name, self.incarnation, at, exc_info=error)
        self.end(error)
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise error  # these two end the process, in the order that the command line keeps

    def _ring(self, message: M) -> None:
        self._put(TimerFired(message, self._alarms[type(message)]))

    def _put(self, message: Any) -> None:
        self.actor_inbox.put(message)

    # The end.

    def _finish(self) -> None:
        mailbox = cast(Mailbox, self.actor_inbox)
        if mailbox.turn is None:
            return
        self.cancel(ChildrenDone)
        crash = self._run_on_stop()
        self._cause = self._cause or crash
        mailbox.turn = None
        self.actor_stopped.set()
        ActorRegistry.unregister(self._actor_ref)
        for stopper in self._stoppers:
            stopper.set(True)
        for left in mailbox:
            if type(left) is Envelope:
                _refuse(left.message, left.reply_to, self._actor_ref)
        mailbox.clear()
        if self._parent is not None:
            self._parent.tell(Down(self.me, self.name, self.incarnation, self._cause))
        self._forget_all()
        if isinstance(crash, KeyboardInterrupt | SystemExit):
            raise crash

    def _forget_all(self) -> None:
        """Of all that it had: what knows itself, as an actor does, would be kept until the garbage is collected."""
        for name in vars(self).keys() - self._lasting:
            delattr(self, name)
        self._parent = self._cause = None
        self._children.clear()
        self._stoppers.clear()

    def _run_on_stop(self) -> BaseException | None:
        try:
            self.on_stop()
        except BaseException as error:
            log.exception("%s %d crashed while stopping", self.name, self.incarnation)
            return error
        return None


def launch(actor: LoopActor[M], parent: Ref[Down] | None = None) -> Hired[M]:
    """Start an actor that nobody hired yet; `parent`, if any, will be told its Down."""
    actor._parent = parent
    ActorRegistry.register(actor.actor_ref)
    actor._start_actor_loop()
    return actor.me


def _refuse(message: Any, reply_to: Reply, ref: pykka.ActorRef[Any]) -> None:
    if reply_to is None:
        return
    if isinstance(message, _ActorStop):
        reply_to.set(True)
    else:
        error = ActorDeadError(f"{ref} stopped before handling the message")
        reply_to.set_exception((ActorDeadError, error, None))
