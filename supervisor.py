"""SupervisorActor: the root of all calls. `python -m supervisor` starts the server."""

import itertools
import logging
import secrets
import sys
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, assert_never

from actors.account import UpstreamAccount
from actors.admission.admissions import Admissions
from actors.admission.door import Door
from actors.admission.draining import Draining, moves
from actors.admission.reservations import Reservations
from actors.call.moving.restoring import identity_of, mode_of
from actors.fleet.limits import FleetLimits
from actors.fleet.registrar import RegistrarActor, RegistrarInbox
from actors.fleet.returns import CallEntry, Returns
from actors.messages.admission import (
    GONE,
    AccountBlocked,
    Admitted,
    Attached,
    CameBack,
    CannotResume,
    Connected,
    Drain,
    Ended,
    FromSession,
    FromTrial,
    Inquired,
    Leaving,
    LetGo,
    ReleaseSlots,
    Replaced,
    Report,
    Reserve,
    Resume,
    Served,
    WentAway,
)
from actors.messages.caller import Close, Error, ToCaller
from actors.messages.caring import InCare
from actors.messages.fleet import Counted, FromFleet, KeepPlaces, Occupied
from actors.messages.identity import Identity
from actors.messages.moving import Announce, Claimed, ForRegistrar, FromRegistrar, Keep, MoveCall, NotTaken, TookCall
from actors.runtime import Boot, Down, Hired, LoopActor, LoopRef, Ref, Snapshot, Stop
from actors.services import Services
from actors.session import SessionInbox, UserSessionActor
from actors.trial import TrialActor

log = logging.getLogger(__name__)

STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class DrainDue:
    """A timer: more calls are to be told that they end at their next pause."""


@dataclass(frozen=True, slots=True)
class DrainOver:
    """A timer: the calls have had all the time that a drain gives them."""


@dataclass(frozen=True, slots=True)
class StopOver:
    """A timer: the sessions were told to end at once, and have had STOP_SECONDS for it."""


SupervisorInbox: TypeAlias = (
    Boot | Stop | Down | Connected | Resume | FromSession | FromTrial | FromFleet | Inquired | Drain
    | DrainDue | DrainOver | StopOver | ForRegistrar | FromRegistrar
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SupervisorSnapshot(Snapshot):
    """`newest`: the session of each user's newest call. `held`: of whom, by id, each has a place. `calls`: by age."""

    newest: Mapping[str, Hired[SessionInbox]]
    held: Mapping[Hashable, frozenset[str]]
    calls: tuple[CallEntry, ...]
    draining: bool


class SupervisorActor(LoopActor[SupervisorInbox]):
    """It admits callers, starts a session for each, reserves personas for them, and drains them at the end.

    A session that has failed is never restarted.
    """

    name = "supervisor"
    most_waiting = sys.maxsize  # each connection asks one question and waits, so as many wait as there are sockets

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        services.counters.tokens_estimated = not services.upstream.can.counts_tokens
        self._door = Door(services.limits, services.spending, services.counters.late)
        self._fleet = FleetLimits(services, services.register, self.me) if services.register else None
        self._admissions = Admissions(services, self._door, self._let_in, self._fleet)
        self._reservations = Reservations(services, self._fleet)
        self._entries: dict[LoopRef[Any], CallEntry] = {}
        self._newest: dict[str, CallEntry] = {}  # by user
        calls = self._entries, self._newest
        self._returns = Returns(services, *calls, self._hire_registrar, self._admissions)
        self._account = UpstreamAccount(services, self._door, lambda: self.hire(TrialActor, services, self.me))
        self._left: dict[
            LoopRef[Any], int
        ] = {}  # the close codes of calls that are over, until the Down of their session
        self._draining = Draining[LoopRef[Any]]()
        self._stopped = False
        self._ids = itertools.count(1)
        self._run = secrets.token_hex(3)  # session ids of two runs differ in the log

    def on_receive(self, message: SupervisorInbox) -> None:
        match message:
            case Connected():
                self._admit(message)
            case Resume() | CameBack() | CannotResume() | WentAway() | Ended() | Announce() | Keep() | NotTaken():
                self._returns.come(message)
            case TookCall():
                self._take_in(message)
            case Down(name=RegistrarActor.name):
                self._returns.registrar_ended(message)
                self._end_if_over()
            case Leaving(session, code):
                self._left[session] = code
                self._returns.resumes.over(session, code)
                self._release(session, code)
            case Reserve():
                self._reservations.ask(message)
            case InCare(session):
                self._draining.spare(session)
                self._returns.resumes.spare(session)
            case ReleaseSlots(session, choices):
                self._reservations.release(session, choices)
            case Occupied() | KeepPlaces() | Claimed():
                self._reservations.hear(message)
            case Counted():
                self._admissions.counted(message)
                self._end_if_over()
            case AccountBlocked(reason):
                self._account.block(reason)
            case Served():
                self._account.unblock()
            case Down(ref, name=TrialActor.name):
                self._account.trial_ended(ref)
            case Down():
                self._session_ended(message)
            case Inquired(reply_to):
                calls = len(self._entries)
                reply_to.tell(Report(self._door.is_open(calls), calls))
            case Drain(within):
                self._drain(within)
            case DrainDue():
                self._drain_some()
            case Stop() | DrainOver():
                self._stop()
            case StopOver():
                self.end()
            case Boot():
                self._returns.open()
            case _:
                assert_never(message)

    def snapshot(self) -> SupervisorSnapshot:
        base, newest = super().snapshot(), {user: entry.session for user, entry in self._newest.items()}
        held, calls = self._reservations.held(), tuple(self._entries.values())
        return SupervisorSnapshot(base.parent, base.children, base.cause, newest, held, calls, self._door.draining)

    def _admit(self, caller: Connected) -> None:
        calls = len(self._entries) - (self._full and self._returns.resumes.longest_away is not None)
        self._admissions.ask(caller, calls, caller.identity.user in self._newest)

    @property
    def _full(self) -> bool:
        return len(self._entries) >= self._services.limits.sessions

    def _let_in(self, caller: Connected) -> None:
        if self._full and (longest_away := self._returns.resumes.longest_away):
            self._returns.resumes.over(longest_away, GONE.code)
            longest_away.tell(LetGo())
        entry = self._begin(caller.identity, caller.outbox, caller.address)
        entry.session.tell(Attached(caller.connection, caller.outbox, caller.mode))
        caller.outbox.tell(Admitted(entry.session))

    def _begin(
        self, identity: Identity, outbox: Ref[ToCaller], address: str, taken: TookCall | None = None
    ) -> CallEntry:
        """Start the session of a call; it replaces the user's call before."""
        user, id_, now = identity.user, f"{self._run}-{next(self._ids)}", self._services.clock.now()
        if before := self._newest.get(user):
            before.session.tell(Replaced())
        session = self.hire(UserSessionActor, identity, id_, self._services, self.me, address, taken)
        entry = self._entries[session] = self._newest[user] = CallEntry(id_, user, session, outbox, address, now)
        self._reservations.begin(session, user)
        self._services.counters.begun += 1
        return entry

    def _take_in(self, taken: TookCall) -> None:
        """A call of another node goes on here."""
        if not (asked := self._returns.took(taken)):
            return
        taken, record = replace(taken, asked=asked), taken.record
        self._door.took(asked.address)
        entry = self._begin(identity_of(record), asked.outbox, asked.address, taken)
        self._reservations.hear(Claimed(entry.session, taken.claim))  # before it asks for its place, by a clock of ours
        self._returns.goes_on(taken, entry)
        entry.session.tell(Attached(asked.connection, asked.outbox, mode_of(record.mode)))

    def _hire_registrar(self) -> Hired[RegistrarInbox] | None:
        register = self._services.register
        return self.hire(RegistrarActor, self._services, register, self.me) if register else None

    def _session_ended(self, down: Down) -> None:
        self._release(down.ref)
        self._returns.ended(down.ref)
        entry = self._entries.pop(down.ref)
        self._door.ended(entry.address)
        self._draining.ended(entry.session)
        left = self._left.pop(down.ref, None)
        self._services.counters.ended[left or 4500] += 1
        if down.cause is not None and left is None:  # else the session has told its caller
            reason = f"the call failed on our side (reference {entry.id}): call again"
            entry.outbox.tell(Error("internal", f"The call failed on our side (reference {entry.id}): call again."))
            entry.outbox.tell(Close(4500, reason))
        self._end_if_over()

    def _release(self, session: LoopRef[Any], code: int = 0) -> None:
        """The call is over: its places are free, and it is not the newest of its user any more."""
        self._reservations.release_all(session, code)
        self._returns.resumes.back(session)
        entry = self._entries.get(session)
        if entry and self._newest.get(entry.user) is entry:
            del self._newest[entry.user]
            self._door.left(entry.user)

    def _drain(self, within: float) -> None:
        """Admit nobody any more, and let the calls end within so many seconds, each at a pause."""
        if self._door.draining:
            return
        log.info("draining %d calls within %.0f s", len(self._entries), within)
        calls = self._draining.begin(self._entries, within, self._services.clock.now())
        self.after(within, DrainOver())
        if self._services.register:
            for session, wait in zip(calls, moves(len(calls), within), strict=True):
                session.tell(MoveCall(wait))
        self._drain_some()
        self._shut_door()

    def _drain_some(self) -> None:
        """Tell the calls whose time has come, and again when more are due."""
        told, wait = self._draining.due(self._services.clock.now())
        for session in told:
            session.tell(Drain(self._draining.call_seconds))
        if wait is not None:
            self.after(wait, DrainDue())

    def _stop(self) -> None:
        """End every call at once."""
        if self._stopped:
            return
        self._stopped = True
        log.info("stopping %d calls", len(self._entries))
        for entry in self._entries.values():
            entry.session.tell(Stop())
        self.after(STOP_SECONDS, StopOver())
        self._shut_door()

    def _shut_door(self) -> None:
        """Nobody is admitted any more; the server ends once there is no call."""
        self._door.draining = True
        self._account.stop()
        self._returns.draining = True
        self._end_if_over()

    def _end_if_over(self) -> None:
        """A server that ends has ended once there is no call, and all are saved that another server may go on with."""
        over = self._door.draining and not self._entries and not self._admissions.waiting
        if over and self._returns.close():
            self.end()

    def on_stop(self) -> None:
        if self._fleet:
            self._fleet.close()


if __name__ == "__main__":
    from cli import main

    main()
