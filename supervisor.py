"""SupervisorActor: who is on the line, and who may come in. `python -m supervisor` starts the server."""

import asyncio
import itertools
import logging
import secrets
import sys
from collections import deque
from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never

from actors.base import Boot, Down, Hired, LoopActor, Ref, Stop
from actors.equipment import Equipment
from actors.messages import Admitted, Attached, Close, Connected, Error, Inquired, Leaving, Replaced, Report, ToCaller
from actors.pykka_loop import LoopRef
from actors.session import SessionInbox, UserSessionActor

log = logging.getLogger(__name__)

DRAIN_SECONDS = 10.0
TAKEOVER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class DrainOver:
    """A timer: the sessions had their time to end."""


SupervisorInbox: TypeAlias = Boot | Stop | Down | Connected | Leaving | Inquired | DrainOver


@dataclass(frozen=True, slots=True)
class Seat:
    """A session, and where its caller is told if the session itself no longer can."""

    id: str
    user: str
    session: Hired[SessionInbox]
    outbox: Ref[ToCaller]


class SupervisorActor(LoopActor[SupervisorInbox]):
    """The root. It starts one session per connection; sessions are temporary, a failed one is never restarted."""

    name = "supervisor"
    most_waiting = sys.maxsize  # a connection tells it one thing and waits: there are as many as sockets

    def __init__(self, equipment: Equipment) -> None:
        super().__init__()
        self._equipment = equipment
        self._seats: dict[Hired[SessionInbox], Seat] = {}
        self._newest: dict[str, Seat] = {}
        self._came: deque[tuple[float, str]] = deque()  # who was let in, and when, of the last ten seconds
        self._taken_over: dict[str, deque[float]] = {}
        self._ids = itertools.count(1)
        self._run = secrets.token_hex(3)  # session ids of two runs differ in the log
        self._draining = False

    def on_receive(self, message: SupervisorInbox) -> None:
        match message:
            case Connected():
                self._admit(message)
            case Leaving(session):
                self._let_go(session)
            case Down():
                self._session_ended(message)
            case Inquired(reply_to):
                full = len(self._seats) >= self._equipment.limits.sessions
                reply_to.tell(Report(not (self._draining or full), len(self._seats)))
            case Stop():
                self._drain()
            case DrainOver():
                self.end()
            case Boot():
                pass
            case _:
                assert_never(message)

    def _admit(self, caller: Connected) -> None:
        if refusal := self._refusal(caller.user):
            caller.outbox.tell(Error("busy", refusal.reason))
            caller.outbox.tell(refusal)
            return
        if before := self._newest.get(caller.user):
            before.session.tell(Replaced())
        id_ = f"{self._run}-{next(self._ids)}"
        session = self.hire(UserSessionActor, caller.user, id_, self._equipment, self.me)
        seat = Seat(id_, caller.user, session, caller.outbox)
        self._seats[session] = self._newest[caller.user] = seat
        session.tell(Attached(caller.connection, caller.outbox))
        caller.outbox.tell(Admitted(session))

    def _refusal(self, user: str) -> Close | None:
        limits, now = self._equipment.limits, asyncio.get_running_loop().time()
        if self._draining:
            return Close(1001, "the server is restarting: call again in a moment")
        if len(self._seats) >= limits.sessions:
            return Close(4429, "all lines are busy: call again in a minute")
        while self._came and now - self._came[0][0] >= TAKEOVER_SECONDS:
            self._came.popleft()
        if sum(now - at < 1.0 for at, _ in self._came) >= limits.connects:
            return Close(4429, "too many calls begin at once: call again in a few seconds")
        if sum(caller == user for _, caller in self._came) >= limits.calls:
            return Close(4429, "you called too often: wait ten seconds, then call once")
        if user in self._newest and self._takes_over_too_often(user, now):
            return Close(4429, "you called from too many places at once: wait ten seconds, then call once")
        self._came.append((now, user))
        return None

    def _takes_over_too_often(self, user: str, now: float) -> bool:
        times = self._taken_over.setdefault(user, deque(maxlen=self._equipment.limits.takeovers))
        if len(times) == times.maxlen and now - times[0] < TAKEOVER_SECONDS:
            return True
        times.append(now)
        return False

    def _session_ended(self, down: Down) -> None:
        self._let_go(down.ref)
        seat = self._seats.pop(down.ref)
        if down.cause is not None:
            reason = f"the call failed on our side (reference {seat.id}): call again"
            seat.outbox.tell(Error("internal", f"The call failed on our side (reference {seat.id}): call again."))
            seat.outbox.tell(Close(4500, reason))
        if self._draining and not self._seats:
            self.end()

    def _let_go(self, session: LoopRef[Any]) -> None:
        """It is not its user's newest call any more, if it was."""
        seat = self._seats.get(session)
        if seat and self._newest.get(seat.user) is seat:
            del self._newest[seat.user]
            self._taken_over.pop(seat.user, None)

    def _drain(self) -> None:
        if self._draining:
            return
        self._draining = True
        log.info("draining %d calls", len(self._seats))
        for seat in self._seats.values():
            seat.session.tell(Stop())
        self.after(DRAIN_SECONDS, DrainOver())
        if not self._seats:
            self.end()


if __name__ == "__main__":
    from cli import main

    main()
