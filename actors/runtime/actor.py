"""LoopActor: Pykka's actor on the event loop, with a life that always ends in exactly one Down.

What is guaranteed:

- Order: one mailbox per actor, first in first out. Nothing overtakes, not a stop, not a Down, not a timer.
- At most once: a message is handled once, or not at all if the actor ends before.
- Turns: a turn ends after TURN_SECONDS or TURN_MESSAGES; then the other actors get theirs.
- `tell` never raises and never blocks, from any thread. A message to an actor that has ended is counted
  (`dead_letters`) and dropped. Messages that wait when the actor ends are dropped, too; an `ask` among them gets
  ActorDeadError, a `stop` gets True.
- `Boot` is the first message. A constructor only assigns; what can fail happens after Boot.
- End: whatever ends an actor (a stop, a crash in a handler or in `on_stop`, any BaseException), it handles no further
  message, its children are stopped in reverse and given CHILDREN_SECONDS to end, `on_stop` runs once, and its parent,
  and nobody else, is told `Down` once. A child that takes longer goes on without a parent until it ends.
- A crash is logged once, with its traceback. KeyboardInterrupt and SystemExit crash their actor as any exception
  does, and then end the process in order; no other exception ends the process.
- Memory: an actor that has ended has no attributes of its own any more, so their memory is free at once.
- A timer is a message, keyed by its type: one that was set again or cancelled is never delivered.

Not kept of what Pykka promises: proxies, composed futures (`map`, `join`), `on_start` and `on_failure`, an actor that
lives on after an `ask` failed. `ask`, `stop` and `stop_all` raise where they would block the thread of the loop.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeAlias, TypeVar, cast

import pykka
from pykka import ActorRegistry
from pykka._envelope import Envelope
from pykka.messages import _ActorStop

from actors.runtime.mailbox import Mailbox
from actors.runtime.ref import Flag, LoopFuture, LoopRef, Ref, refuse
from actors.runtime.signals import Boot, ChildrenDone, Down, MailboxOverflow, Snapshot, TimerFired
from actors.runtime.watchdog import running

log = logging.getLogger(__name__)

M = TypeVar("M")
N = TypeVar("N")
P = ParamSpec("P")

TURN_SECONDS = 0.001
TURN_MESSAGES = 32
CHILDREN_SECONDS = 2.0
MOST_WAITING = 10_000

SIGNALS = frozenset({Down, ChildrenDone, TimerFired, _ActorStop, Envelope})  # `_take` sees these before `on_receive`

Reply: TypeAlias = "pykka.Future[Any] | None"
Alarm: TypeAlias = tuple[asyncio.TimerHandle, object]  # a timer, and the message that it puts into the mailbox
Hired: TypeAlias = LoopRef[M]
"""What `hire` returns: a reference to a child."""

_lasting: dict[frozenset[str], frozenset[str]] = {}  # one for each kind of actor, instead of one for each actor


class LoopActor(pykka.Actor, Generic[M]):
    """An actor whose turns run on the event loop. Handlers are synchronous and short."""

    __slots__ = (  # with them in its `__dict__` a session would have over 30 attributes there, which take a KB more
        "_alarms", "_cause", "_children", "_ending", "_hired", "_lasting", "_parent", "_stoppers", "incarnation", "me",
    )  # fmt: skip

    name = "actor"
    """The name of the kind, in Down and in the log; children of one name are numbered by `incarnation`, from 1."""

    most_waiting = MOST_WAITING
    """Messages that may wait in the mailbox; with more the actor ends, with MailboxOverflow as the cause."""

    def __init__(self) -> None:
        super().__init__()
        self.actor_stopped = Flag()  # type: ignore[assignment]  # nobody waits for it in a thread
        self.me = LoopRef[M](self)
        """The reference of this actor, to hand to others."""
        self._actor_ref = self.me
        self.incarnation = 1
        self._parent: Ref[Down] | None = None
        self._children: dict[LoopRef[Any], LoopActor[Any]] = {}
        self._hired: Counter[str] = Counter()
        self._alarms: dict[type, Alarm] = {}  # by the type of the message
        self._ending = False
        self._cause: BaseException | None = None
        self._stoppers: list[pykka.Future[Any]] = []
        names = frozenset(vars(self))  # the attributes that an ended actor still has
        self._lasting = _lasting.setdefault(names, names)

    # What an actor does.

    def on_receive(self, message: M) -> Any:
        """Handle one message: one `match`, with `assert_never` at its end."""
        raise NotImplementedError

    def on_rest(self) -> None:
        """Runs at the end of each turn: hand on, in one piece, what the messages of the turn have produced."""

    def on_stop(self) -> None:
        """Release what is not an actor. Runs once, however the actor ends, after its children have ended."""

    def snapshot(self) -> Snapshot:
        """The observable state of this actor, as a frozen value. An actor with more to show extends Snapshot."""
        return Snapshot(self._parent, tuple(self._children), self._cause)

    def hire(self, actor: "Callable[P, LoopActor[N]]", /, *args: P.args, **kwargs: P.kwargs) -> "Hired[N]":
        """Start a child; mypy checks its arguments, and what it is told. Raises RuntimeError while this actor ends."""
        if self._ending:
            raise RuntimeError(f"{self.name} is ending and hires nobody")
        child = actor(*args, **kwargs)
        self._hired[child.name] += 1
        child.incarnation = self._hired[child.name]
        self._children[child.me] = child
        launch(child, self.me)  # type: ignore[arg-type]  # whoever hires handles Down
        return child.me

    def after(self, seconds: float, message: M) -> None:
        """Tell this actor `message` in so many seconds; a timer of this type that was set before is dropped."""
        kind, fired = type(message), TimerFired(message)
        self.cancel(kind)
        self._alarms[kind] = (asyncio.get_running_loop().call_later(seconds, self._put, fired), fired)

    def cancel(self, kind: type) -> None:
        """Drop the timer of this type of message, also if it has fired and its message waits."""
        if alarm := self._alarms.pop(kind, None):
            alarm[0].cancel()

    def end(self, cause: BaseException | None = None) -> None:
        """End after the message in hand. `cause` goes into Down; nothing is logged."""
        self._cause = self._cause or cause
        if self._ending:
            return
        self._ending = True
        for kind in list(self._alarms):
            self.cancel(kind)
        done = ChildrenDone()
        self._alarms[ChildrenDone] = (asyncio.get_running_loop().call_later(CHILDREN_SECONDS, self._put, done), done)
        self._end_youngest()

    def _end_youngest(self) -> None:
        """Stop the children one by one, the youngest first; then this actor itself."""
        if self._children:
            next(reversed(self._children)).actor_inbox.put(_ActorStop())
        else:
            self._put(ChildrenDone())

    # Pykka's hooks for new actor types.

    _create_actor_inbox = staticmethod(Mailbox)
    _create_future = staticmethod(LoopFuture[Any])

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
            log.error("%s %d is told too much: %d messages wait", self.name, self.incarnation, waiting)
            self.end(MailboxOverflow(f"{waiting} messages waited for {self.name} {self.incarnation}"))
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
                try:  # as `_handle`, without the call
                    self.on_receive(message)
                except BaseException as error:
                    self._crash(type(message).__name__, error)
            if not mailbox or clock() > enough:
                break
        if not self._ending:
            try:
                self.on_rest()
            except BaseException as error:
                self._crash("resting", error)

    def _take(self, message: Any) -> None:
        """Handle a signal of the base, an ask, or what comes while the actor ends."""
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
                refuse(message, reply_to, self.me)
            case TimerFired(due):
                if (alarm := self._alarms.get(type(due))) and alarm[1] is message:
                    del self._alarms[type(due)]
                    self._handle(due)
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
            raise error  # they end the process; the command line does that in order

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
        mailbox.turn, mailbox.closed = None, True
        self.actor_stopped.set()
        ActorRegistry.unregister(self.me)
        for stopper in self._stoppers:
            stopper.set(True)
        for left in mailbox:
            if type(left) is Envelope:
                refuse(left.message, left.reply_to, self.me)
        mailbox.clear()
        if self._parent is not None:
            self._parent.tell(Down(self.me, self.name, self.incarnation, self._cause))
        self._forget_all()
        if isinstance(crash, KeyboardInterrupt | SystemExit):
            raise crash

    def _forget_all(self) -> None:
        """Delete all attributes: an actor refers to itself, so they would live until the garbage is collected."""
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
    """Start an actor that was not hired; `parent`, if any, is told its Down."""
    actor._parent = parent
    ActorRegistry.register(actor.actor_ref)
    actor._start_actor_loop()
    return actor.me
