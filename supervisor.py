"""SupervisorActor: the root of all calls. `python -m supervisor` starts the server."""

import itertools
import logging
import secrets
import sys
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, assert_never

from actors.admission.door import Door
from actors.admission.draining import DrainPlan
from actors.admission.resumes import Resumes
from actors.admission.slots import PersonaSlots
from actors.call.resume import token
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
from actors.messages.resuming import NotResumedCode
from actors.runtime import Boot, Down, Hired, LoopActor, LoopRef, Ref, Snapshot, Stop
from actors.services import Services
from actors.session import SessionInbox, UserSessionActor
from actors.trial import TrialActor, TrialInbox

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
    Boot | Stop | Down | Connected | Resume | FromSession | FromTrial | Inquired | Drain | DrainDue | DrainOver
    | StopOver
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CallEntry:
    """A call: its session, and the outbox by which its caller is told if the session has crashed."""

    id: str
    user: str
    session: Hired[SessionInbox]
    outbox: Ref[ToCaller]
    address: str


@dataclass(frozen=True, slots=True)
class SupervisorSnapshot(Snapshot):
    """`newest`: the session of each user's newest call. `held`: of whom, by id, each session has a place."""

    newest: Mapping[str, Hired[SessionInbox]]
    held: Mapping[Hashable, frozenset[str]]


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
        self._slots = PersonaSlots(services.upstream.can.languages)
        self._resumes = Resumes(services.counters)
        self._entries: dict[Hired[SessionInbox], CallEntry] = {}
        self._newest: dict[str, CallEntry] = {}  # by user
        self._trial: Hired[TrialInbox] | None = None  # while the upstream refuses our account
        self._left: dict[
            LoopRef[Any], int
        ] = {}  # the close codes of calls that are over, until the Down of their session
        self._drain_plan: DrainPlan[Hired[SessionInbox]] | None = None
        self._stopped = False
        self._ids = itertools.count(1)
        self._run = secrets.token_hex(3)  # session ids of two runs differ in the log

    def on_receive(self, message: SupervisorInbox) -> None:
        match message:
            case Connected():
                self._admit(message)
            case Resume() | CameBack() | CannotResume() | WentAway() | Ended():
                self._resume(message)
            case Leaving(session, code):
                self._left[session] = code
                self._resumes.over(session, code)
                self._release(session)
            case Reserve(session):
                session.tell(self._slots.answer(message, self._services.current.catalogue, self._services.clock.wall()))
            case ReleaseSlots(session, choices):
                self._slots.release(session, choices)
            case AccountBlocked(reason):
                self._block_account(reason)
            case Served():
                self._unblock_account()
            case Down(name=TrialActor.name):
                self._trial_ended(message)
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
                pass
            case _:
                assert_never(message)

    def snapshot(self) -> SupervisorSnapshot:
        base, newest = super().snapshot(), {user: entry.session for user, entry in self._newest.items()}
        return SupervisorSnapshot(base.parent, base.children, base.cause, newest, self._slots.held())

    def _admit(self, caller: Connected) -> None:
        user, now = caller.identity.user, self._services.clock.now()
        before = self._newest.get(user)
        calls = len(self._entries)
        longest_away = self._resumes.longest_away if calls >= self._services.limits.sessions else None
        if refused := self._door.refusal(user, calls - bool(longest_away), before is not None, now, caller.address):
            self._services.counters.refused[refused.close.code] += 1
            caller.outbox.tell(Error(refused.code, refused.close.reason, refused.limit, refused.retry_after))
            caller.outbox.tell(refused.close)
            return
        if longest_away:
            self._resumes.over(longest_away, GONE.code)
            longest_away.tell(LetGo())
        if before:
            before.session.tell(Replaced())
        id_ = f"{self._run}-{next(self._ids)}"
        session = self.hire(UserSessionActor, caller.identity, id_, self._services, self.me, caller.address)
        entry = CallEntry(id_, user, session, caller.outbox, caller.address)
        self._entries[session] = self._newest[user] = entry
        self._services.counters.begun += 1
        session.tell(Attached(caller.connection, caller.outbox, caller.mode))
        caller.outbox.tell(Admitted(session))

    def _resume(self, message: Resume | CameBack | CannotResume | WentAway | Ended) -> None:
        match message:
            case Resume(user) if entry := self._newest.get(user):
                self._resumes.ask(entry.session, message)
                entry.session.tell(message)
            case Resume():
                self._cannot_resume(message, "unknown")
            case CameBack(session, asked):
                self._resumes.came_back(session, asked)
                if before := self._entries.get(session):
                    entry = self._entries[session] = replace(before, outbox=asked.outbox)
                    if self._newest.get(before.user) is before:
                        self._newest[before.user] = entry
            case CannotResume(session, asked, code, words):
                self._resumes.answered(session, asked)
                self._cannot_resume(asked, code, words)
            case WentAway(session):
                self._resumes.went(session)
            case Ended():
                self._resumes.ended(message, self._services.clock.now())

    def _cannot_resume(self, asked: Resume, code: NotResumedCode, words: str = "") -> None:
        """The connection may begin another call."""
        who = asked.user, token.digest(asked.token)
        asked.reply_to.tell(self._resumes.refusal(*who, code, words, self._services.clock.now()))

    def _block_account(self, why: str) -> None:
        if self._door.account_blocked or self._door.draining:
            return
        self._door.account_blocked = self._services.counters.account_blocked = True
        log.error("new calls are refused, the server tries again every %.0f s: %s", self._services.trials.every, why)
        self._trial = self.hire(TrialActor, self._services, self.me)

    def _unblock_account(self) -> None:
        self._door.account_blocked = self._services.counters.account_blocked = False
        log.info("the upstream serves us again")

    def _trial_ended(self, down: Down) -> None:
        """A trial that has crashed is replaced; the new one begins by waiting."""
        if down.ref == self._trial:
            again = self._door.account_blocked and not self._door.draining
            self._trial = self.hire(TrialActor, self._services, self.me) if again else None

    def _session_ended(self, down: Down) -> None:
        self._release(down.ref)
        for asked in self._resumes.gone(down.ref):
            self._cannot_resume(asked, "ended")
        entry = self._entries.pop(down.ref)
        self._door.ended(entry.address)
        if self._drain_plan:
            self._drain_plan.ended(entry.session)
        left = self._left.pop(down.ref, None)
        self._services.counters.ended[left or 4500] += 1
        if down.cause is not None and left is None:  # else the session has told its caller
            reason = f"the call failed on our side (reference {entry.id}): call again"
            entry.outbox.tell(Error("internal", f"The call failed on our side (reference {entry.id}): call again."))
            entry.outbox.tell(Close(4500, reason))
        if self._door.draining and not self._entries:
            self.end()

    def _release(self, session: LoopRef[Any]) -> None:
        """The call is over: its places are free, and it is not the newest of its user any more."""
        self._slots.release_all(session)
        self._resumes.back(session)
        entry = self._entries.get(session)
        if entry and self._newest.get(entry.user) is entry:
            del self._newest[entry.user]
            self._door.left(entry.user)

    def _drain(self, within: float) -> None:
        """Admit nobody any more, and let the calls end within so many seconds, each at a pause."""
        if self._door.draining:
            return
        log.info("draining %d calls within %.0f s", len(self._entries), within)
        self._drain_plan = DrainPlan(self._entries, within, self._services.clock.now())
        self.after(within, DrainOver())
        self._drain_some()
        self._shut_door()

    def _drain_some(self) -> None:
        """Tell the calls whose time has come, and again when more are due."""
        assert self._drain_plan
        told, wait = self._drain_plan.due(self._services.clock.now())
        for session in told:
            session.tell(Drain(self._drain_plan.call_seconds))
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
        if self._trial:
            self._trial.tell(Stop())
        if not self._entries:
            self.end()


if __name__ == "__main__":
    from cli import main

    main()
