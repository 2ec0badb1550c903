"""Callers who come back: to a call of this server, or, where it has a register, to one of another node."""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, replace
from typing import Any

from actors.admission.admissions import Admissions
from actors.admission.door import EVERYWHERE, USER_SECONDS, Refusal
from actors.admission.rate import Window
from actors.admission.resumes import Resumes
from actors.call.connection import SUPERSEDED
from actors.call.moving.restoring import bill_of, help_of
from actors.call.resume import token
from actors.messages.admission import CameBack, CannotResume, Ended, Resume, WentAway
from actors.messages.caller import Close, Error, ToCaller
from actors.messages.caring import HelpNumber
from actors.messages.moving import (
    MOVING,
    NEWER,
    Adopt,
    Announce,
    CallGone,
    Keep,
    NotTaken,
    TakeCall,
    TookCall,
    ToRegistrar,
)
from actors.messages.resuming import NotResumedCode
from actors.runtime import Down, Hired, LoopRef, Ref, Stop
from actors.services import Services
from actors.session import SessionInbox
from personas.meter import Bill


@dataclass(frozen=True, slots=True)
class CallEntry:
    """A call: its session, and the outbox by which its caller is told if the session has crashed; when it began."""

    id: str
    user: str
    session: Hired[SessionInbox]
    outbox: Ref[ToCaller]
    address: str
    since: float = 0.0


@dataclass(slots=True)
class _Taking:
    """A call is being taken. `asked`: the newest attempt at it, which gets it; `since`: when the first one asked."""

    asked: Resume
    since: float


class Returns:
    """`entries` are the calls by session, `newest` by user. `hire` starts a registrar, where there is a register.

    `admissions` know who is about to be let in.
    """

    def __init__(
        self,
        services: Services,
        entries: MutableMapping[LoopRef[Any], CallEntry],
        newest: MutableMapping[str, CallEntry],
        hire: Callable[[], Hired[ToRegistrar | Stop] | None],
        admissions: Admissions,
    ) -> None:
        self.resumes = Resumes(services.counters)
        self.draining = False
        self._services, self._entries, self._newest, self._hire = services, entries, newest, hire
        self._admissions = admissions
        self._registrar: Hired[ToRegistrar | Stop] | None = None
        self._taking: dict[tuple[str, bytes], _Taking] = {}  # by user and hash of the token
        self._takes = Window(services.limits.takeovers, USER_SECONDS)  # by user: each opens a connection to the model

    # The registrar.

    def open(self) -> None:
        """The server begins."""
        self._registrar = self._hire()

    def registrar_ended(self, down: Down) -> None:
        """One that has crashed is replaced: sessions tell the next one what it needs to know, and we whom to take."""
        if down.ref == self._registrar:
            self._registrar = self._hire() if down.cause else None
            for taking in self._taking.values():
                self.tell(TakeCall(taking.asked))

    def close(self) -> bool:
        """There are no calls any more: True once what is to be saved is saved."""
        if self._registrar:
            self._registrar.tell(Stop())
        return self._registrar is None

    def tell(self, message: ToRegistrar) -> None:
        """Tell the registrar, if there is one."""
        if self._registrar:
            self._registrar.tell(message)

    # Callers.

    def come(self, message: Resume | CameBack | CannotResume | WentAway | Ended | Announce | Keep | NotTaken) -> None:
        """Somebody asks for a call, a session has answered or tells of itself, or a call was not taken."""
        match message:
            case Announce() | Keep():
                self.tell(message)
            case NotTaken():
                self._not_taken(message)
            case Resume(user) if entry := self._newest.get(user):
                self.resumes.ask(entry.session, message)
                entry.session.tell(message)
            case Resume():
                self.cannot(message, "unknown")
            case CameBack(session, asked):
                self.resumes.came_back(session, asked)
                if entry := self._entries.get(session):
                    self._change(entry, replace(entry, outbox=asked.outbox))
            case CannotResume(session, asked, code, words):
                self.resumes.answered(session, asked)
                self.cannot(asked, code, words)
            case WentAway(session):
                self.resumes.went(session)
            case Ended():
                self.resumes.ended(message, self._services.clock.now())

    def cannot(self, asked: Resume, code: NotResumedCode, words: str = "") -> None:
        """The call is not here. Perhaps another node has it; else the connection may begin another one."""
        if code != "unknown" or not self._registrar or self._is_over(asked):
            self._refuse(asked, code, words)
        elif self.draining:
            self.send_on(asked)
        elif self._is_full and _key(asked) not in self._taking:
            self._refuse(asked, "unavailable")
        elif wait := self._takes.wait(self._services.clock.now(), asked.user):
            self._turn_away(asked, EVERYWHERE.in_(wait))
        else:
            self._take(asked)

    def _is_over(self, asked: Resume) -> bool:
        """Whether it has ended here, and nobody can be asked whether another node had gone on with it before."""
        past = self.resumes.past(*_key(asked), self._services.clock.now())
        register = self._services.register
        return bool(past) and not (register and register.presence.here and not self.draining)

    @property
    def _is_full(self) -> bool:
        calls = len(self._entries) + self._admissions.waiting + len(self._taking)
        return calls >= self._services.limits.sessions

    def _take(self, asked: Resume) -> None:
        """Ask the register, once: of several attempts at a call the newest gets it, whatever is answered first."""
        if taking := self._taking.get(_key(asked)):
            self.turn_back(taking.asked, SUPERSEDED)
            taking.asked = asked
        else:
            self._taking[_key(asked)] = _Taking(asked, self._services.clock.now())
            self.tell(TakeCall(asked))

    def _not_taken(self, told: NotTaken) -> None:
        """No other node has it either, or that cannot be known: then whoever asked later has time left."""
        newest = self._taking[_key(told.asked)].asked
        if told.code == "unavailable" and newest is not told.asked and not self.draining:
            self.tell(TakeCall(newest))
            return
        del self._taking[_key(told.asked)]
        self._services.counters.takes_refused[told.code] += 1
        record, services = told.record, self._services
        known = None
        if record:
            known = bill_of(record, services.current.catalogue), help_of(record, services.caring.country)
        self._refuse(newest, told.code, elsewhere=known)

    def took(self, taken: TookCall) -> Resume | None:
        """A call is taken. Returns who gets it; None if nobody does."""
        taking = self._taking.pop(_key(taken.asked))
        newest = self._newest.get(taking.asked.user)
        if self.draining:
            self.send_on(taking.asked)
        elif newest and newest.since > taking.since:  # they have called anew meanwhile, from elsewhere perhaps
            self.turn_back(taking.asked, NEWER)
        else:
            return taking.asked
        return None

    def send_on(self, asked: Resume) -> None:
        """As this server ends, the caller is to ask another one."""
        self.turn_back(asked, MOVING)

    def turn_back(self, asked: Resume, close: Close) -> None:
        """Nothing goes on over this connection."""
        asked.outbox.tell(close)
        self._refuse(asked, "unavailable")

    def _turn_away(self, asked: Resume, why: Refusal) -> None:
        """The call stays where it is, for now."""
        self._services.counters.refused[why.close.code] += 1
        asked.outbox.tell(Error(why.code, why.close.reason, why.limit, why.retry_after))
        self.turn_back(asked, why.close)

    def goes_on(self, taken: TookCall, entry: CallEntry) -> None:
        """The call of another node goes on in this session."""
        self._takes.count(self._services.clock.now(), entry.user)
        self._services.counters.calls_moved["in"] += 1
        self.tell(Adopt(entry.session, taken.claim))

    def ended(self, session: LoopRef[Any]) -> None:
        """The session has ended."""
        self.tell(CallGone(session))
        for asked in self.resumes.gone(session):
            self.cannot(asked, "ended")

    def _refuse(
        self,
        asked: Resume,
        code: NotResumedCode,
        words: str = "",
        elsewhere: tuple[Bill, tuple[HelpNumber, ...]] | None = None,
    ) -> None:
        told = self.resumes.refusal(*_key(asked), code, words, self._services.clock.now(), elsewhere)
        asked.reply_to.tell(told)

    def _change(self, before: CallEntry, after: CallEntry) -> None:
        self._entries[before.session] = after
        if self._newest.get(before.user) is before:
            self._newest[before.user] = after


def _key(asked: Resume) -> tuple[str, bytes]:
    """The call that is asked for: its user, and the hash of its token."""
    return asked.user, token.digest(asked.token)
