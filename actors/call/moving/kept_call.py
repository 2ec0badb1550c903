"""The call as the register of the fleet knows it: what is saved when, and how it ends here when it goes on elsewhere.

    begin ──▶ saved: at each turn, and every SAVE_SECONDS of talk ─┬─▶ leave: its last record; nobody takes it any more
                                                                  ├─▶ YieldCall, MoveCall: its last record; it is silent
                                                                  └─▶ Superseded: nothing is saved any more

A call that its caller cannot come back to has no record: it is known by its claim alone.
"""

from collections import deque
from typing import TypeAlias, assert_never

from actors.call.moving.parts import CallObjects, Part, Parts
from actors.call.moving.restoring import Restoring
from actors.call.resume import token
from actors.call.timers import MoveDue, SaveDue
from actors.messages.admission import Drain, Reserved
from actors.messages.caller import Close
from actors.messages.ids import ChoiceId
from actors.messages.moving import (
    MOVED,
    MOVING,
    NEWER,
    Announce,
    ForRegistrar,
    Keep,
    Last,
    LastKept,
    MoveCall,
    Superseded,
    ToMovingCall,
    TookCall,
    YieldCall,
)
from actors.messages.persona import Recall, Recalled, StopMeter
from actors.runtime import Ref

SAVE_SECONDS = 5.0  # of talk between two saves in which nothing else happens
MOVE_SECONDS = 10.0  # in which a call that is to move comes to a pause
ANSWER_SECONDS = 2.0  # for the registrar's answer to the last record

ToKeptCall: TypeAlias = ToMovingCall | Recalled | SaveDue | MoveDue


class Alone:
    """A call of a server that is alone: nobody else knows of it. `done`: nothing is waited for before it ends."""

    done = True
    elsewhere = False
    """The call goes on elsewhere, with what was metered."""

    def begin(self) -> None:
        """The caller has their first connection."""

    def save(self) -> None:
        """Save it as it is now."""

    def look(self) -> None:
        """Save it if something has happened that is worth it."""

    def come(self, message: ToKeptCall) -> None:
        """The registrar or the persona has told something, or a save is due."""

    def granted(self, reserved: Reserved) -> None:
        """A choice has its place."""

    def declined(self, choice: ChoiceId) -> None:
        """A choice has none."""

    def leave(self, close: Close) -> None:
        """The call ends, and the caller is about to be told this."""

    def told(self) -> dict[str, str]:
        """For the log."""
        return {}


class KeptCall(Alone):
    """A call of a fleet; with `restoring` it comes from another node."""

    def __init__(self, of: CallObjects, supervisor: Ref[ForRegistrar], restoring: Restoring | None) -> None:
        self._host, self._me, self._caller, self._absence = of.host, of.me, of.caller, of.absence
        self._parts, self._persona, self._services = Parts(of), of.persona, of.services
        self._supervisor, self._restoring = supervisor, restoring
        self._asked: deque[tuple[Part, Last | None]] = deque()  # the persona is asked for its part of these
        self._marks: tuple[object, ...] = ()
        self._token = b""
        self._left = self.elsewhere = self.done = self._unconfirmed = False
        self._ms = self._saved_ms = 0

    def begin(self) -> None:
        """The caller has their first connection: the register is told, or the call comes from it."""
        if self._restoring:
            self._restoring.begin()
            self._token = self._caller.secret or b""
            self.save()
        elif not self._token:
            self._caller.issued = token.issue()
            self._token = self._caller.issued[1]
            self._supervisor.tell(Announce(self._me, self._caller.identity.user, self._token))

    def look(self) -> None:
        """Save it if something has happened since the last time."""
        if not self._left and self._caller.secret and self._parts.marks() != self._marks:
            self.save()

    def save(self) -> None:
        """Save it as it is now, and again after SAVE_SECONDS."""
        if not self._left and self._save(None):
            self._host.after(SAVE_SECONDS, SaveDue())

    def _save(self, last: Last | None) -> bool:
        """Ask the persona for its part of the record; False if nobody will ever come for the call."""
        self._marks = self._parts.marks()
        part = self._parts.now(silent=last is Last.YIELDED) if self._caller.secret else None
        if part:
            self._asked.append((part, last))
            self._persona.tell(Recall())
        return part is not None

    def come(self, message: ToKeptCall) -> None:
        """The registrar or the persona has told something, or something is due."""
        match message:
            case Recalled():
                part, last = self._asked.popleft()
                record = part.with_(message)
                record = self._restoring.keeping(record) if self._restoring else record
                self._ms = sum(one.ms for one in record.meter)
                words = self._services.register_words and not self._parts.minor
                record = record if words else record.without_words()
                self._supervisor.tell(Keep(self._me, self._token, record, last, self._caller.call))
            case SaveDue() if self._left:
                self.done = True  # the registrar has crashed
            case SaveDue():
                if self._absence.since is None or self._parts.marks() != self._marks:
                    self.save()
                else:
                    self._host.after(SAVE_SECONDS, message)
            case YieldCall():
                self._host.leave(MOVED)
            case MoveCall(wait):
                self._host.after(wait, MoveDue())
            case MoveDue():
                self._move()
            case Superseded(moved, saved_ms):
                self._saved_ms, self.elsewhere = saved_ms, moved
                self._left, self.done, self._unconfirmed = True, True, False
                self._host.leave(MOVED if moved else NEWER)
            case LastKept(saved, saved_ms):
                self.done, self._saved_ms = True, saved_ms
                self._unconfirmed = self._unconfirmed and saved is None
            case _:
                assert_never(message)

    def _move(self) -> None:
        """Let another node have the call: at once if the caller is away and waits for no choice, else at a pause."""
        if self._left or not self._absence.may_return or not self._is_here():
            return  # it ends when those do that cannot move
        if self._absence.since is not None and not self._parts.undecided:
            self._host.leave(MOVING)
        else:
            self._me.tell(Drain(MOVE_SECONDS, None, MOVING))

    def _is_here(self) -> bool:
        register = self._services.register
        return bool(register and register.presence.here)

    def granted(self, reserved: Reserved) -> None:
        """The place of a call that comes from elsewhere may be this."""
        if self._restoring:
            self._restoring.granted(reserved)

    def declined(self, choice: ChoiceId) -> None:
        """Whoever was on the line elsewhere may not be here."""
        if self._restoring:
            self._restoring.declined(choice)

    def leave(self, close: Close) -> None:
        """The call ends here: save it for the last time, so that nobody goes on with it, or that another node does."""
        self._persona.tell(StopMeter())
        if not self._left:
            self._left, gives_away = True, close in (MOVING, MOVED)
            self.elsewhere = gives_away
            self.done = not self._save(Last.YIELDED if gives_away else Last.ENDED)
            self._unconfirmed = not (self.done or gives_away)
            self._host.after(ANSWER_SECONDS, SaveDue())
        if self.elsewhere:  # it has no summary here
            self._caller.drop(close)

    def told(self) -> dict[str, str]:
        """For the log: whether the call came from elsewhere, and what became of its seconds if it went on elsewhere.

        `unconfirmed`: the register did not say whether it did.
        """
        taken = {"taken": "1"} if self._restoring else {}
        if not self.elsewhere:
            return {**taken, "unconfirmed": "1"} if self._unconfirmed else taken
        self._services.counters.calls_moved["out"] += 1
        unbilled = max(0, self._ms - self._saved_ms) / 1000
        self._services.counters.unbilled_seconds += unbilled
        return {**taken, "moved": "1", "carried": f"{self._saved_ms / 1000:.1f}", "unbilled": f"{unbilled:.1f}"}


def kept_call(of: CallObjects, supervisor: Ref[ForRegistrar], taken: TookCall | None) -> Alone:
    """How the call of these objects is kept, if it is; `taken` comes from another node."""
    if not of.services.register:
        return Alone()
    return KeptCall(of, supervisor, Restoring(taken, of) if taken else None)
