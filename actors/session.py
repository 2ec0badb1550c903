"""UserSessionActor: one call. It owns the caller's connection, the children and the timers.

What a message means is decided by the objects of actors/call: Intake for what the caller says, UpstreamEvents for what
the model says, Switchboard for choices and connections. What they need done, the session does (SwitchboardHost).
"""

import logging
from collections import Counter
from collections.abc import Callable
from typing import TypeAlias, assert_never

from actors.bridge import BridgeInbox, OpenAIBridgeActor
from actors.call.bridges import Bridges
from actors.call.clips import Clips
from actors.call.connection import Caller
from actors.call.conversation import Conversation
from actors.call.due import Due
from actors.call.ending import CallEnding, minute
from actors.call.events import UpstreamEvents
from actors.call.inbound import Inbound
from actors.call.intake import Intake
from actors.call.line import Leg
from actors.call.outbound import Outbound
from actors.call.phases import Phases
from actors.call.refusals import Refusals
from actors.call.resume.absence import Absence
from actors.call.room import Room
from actors.call.snapshot import SessionSnapshot
from actors.call.switchboard import Switchboard
from actors.call.timers import GraceOver, Look, MicrophoneSilent, PauseDue, ReconnectDue, ReleaseDue, Timer, TimeUp
from actors.call.usage import Account, end_by_budget
from actors.call.watch import RECONNECTING, Watch
from actors.messages.admission import (
    GONE,
    RESTARTING,
    AccountBlocked,
    Attached,
    Declined,
    Detached,
    Displaced,
    Drain,
    From,
    FromSession,
    Leaving,
    LetGo,
    LostSight,
    ReleaseSlots,
    Replaced,
    Reserve,
    Reserved,
    Resume,
    SeenAgain,
    Wish,
    Wished,
)
from actors.messages.bridge import (
    AccountRefused,
    Configure,
    FromBridge,
    Ready,
    UpstreamEvent,
    UpstreamLost,
    UpstreamRefused,
)
from actors.messages.caller import Close, Notice
from actors.messages.identity import Identity
from actors.messages.ids import ChoiceId, Generation
from actors.messages.persona import BillClosed, CloseBill, FromPersona, MinutePassed, Prepared
from actors.persona import PersonaActor, PersonaInbox
from actors.runtime import Boot, Down, Hired, LoopActor, MailboxOverflow, Ref, Stop
from actors.services import Services
from audio import Decoded, Undecoded

log = logging.getLogger(__name__)

SessionInbox: TypeAlias = (
    Boot | Stop | Down | Attached | Detached | LostSight | SeenAgain | Drain | Replaced | From | Wished | Resume | LetGo
    | FromPersona | Reserved | Declined | FromBridge | Decoded | Undecoded | Displaced | Timer
)  # fmt: skip


class UserSessionActor(LoopActor[SessionInbox]):
    """One caller, from their connection to the last fact of the last upstream. Never restarted."""

    name = "session"
    _inbound: Inbound  # this and what follows is there from Boot on
    _outbound: Outbound
    _conversation: Conversation
    _switchboard: Switchboard
    _bridges: Bridges
    _events: UpstreamEvents
    _persona: Hired[PersonaInbox]
    clock: Callable[[], float]
    _began: float
    _room: Room
    _intake: Intake
    _absence: Absence
    _due: Due

    def __init__(
        self, identity: Identity, session_id: str, services: Services, supervisor: Ref[FromSession], address: str = ""
    ) -> None:
        """`address` is where the caller calls from; it is empty where callers are not told apart by that."""
        super().__init__()
        self._address, self._supervisor, self._user = address, supervisor, identity.user
        self._by = (("address", address), ("user", self._user)) if address else (("user", self._user),)
        self._id, self._services = session_id, services
        self._caller = Caller(session_id, identity)
        self._tally: Counter[str] = Counter()
        self._refusals = Refusals(self._caller, self.leave, services.limits, self._tally, services.counters)
        self._account = Account(services, identity.user, end_by_budget(self._caller, self.me.tell))
        self._call_ending = CallEnding(self._caller)
        self.watch = Watch(services.limits)

    def on_receive(self, message: SessionInbox) -> None:
        match message:
            case From(connection, said):
                if connection == self._caller.connection and not self._call_ending.begun:
                    self._caller.handled += 1
                    self._intake.hear(said)
            case UpstreamEvent(generation, event):
                self._events.learn(generation, event)
            case Decoded() | Undecoded() | Displaced():
                if self._room.told(message):
                    self._bridges.go_on()
                    self._room.refuse(message, self.clock())
            case Ready():
                self._switchboard.ready(message)
            case Prepared():
                self._bridges.prepared(message, listens=self._switchboard.mode.streamed)
            case Reserved():
                self._switchboard.granted(message)
            case Declined(choice, code, reason):
                if not self._call_ending.begun:
                    self._refusals.refuse(code, reason, self.clock())
                    self._switchboard.declined(choice)
            case MinutePassed(bill):
                self._caller.tell(minute(bill))
            case BillClosed(bill):
                self._absence.ended(bill)
                self._call_ending.settle(bill)
                self._end_when_all_is_told()
            case Attached(connection, outbox, mode):
                self._caller.attach(connection, outbox, self._room)
                self._room.of(self._services.waiting.holding(connection, self._address))
                if mode:
                    self._switchboard.mode.set(mode)
            case Wished() | Resume() | LostSight() | SeenAgain():
                self._connection(message)
            case Detached() | Replaced() | Stop() | TimeUp() | GraceOver() | LetGo():
                self._consider_leaving(message)
            case Down():
                self._child_ended(message)
            case ReleaseDue():
                self.pace()
            case ReconnectDue():
                self._switchboard.steer()
            case Look() | MicrophoneSilent() | Drain() | PauseDue():
                self._due.come(message, over=self._call_ending.begun)
            case Boot():
                self._begin()
            case _:
                assert_never(message)

    def snapshot(self) -> SessionSnapshot:
        base, line = super().snapshot(), self._bridges.line
        holds = frozenset(one.persona.id for one in (line.wanted, line.live and line.live.selection) if one)
        turns, unsent, away = tuple(self._inbound.turns), self._outbound.unsent, self._absence.since is not None
        facts = (self._caller.connection, self._room.holding.address, holds, turns, unsent, away)
        return SessionSnapshot(base.parent, base.children, base.cause, *facts)

    # Life.

    def _begin(self) -> None:
        services, self.clock = self._services, self._services.clock.of_this_loop()
        self._began = self.clock()
        self._persona = persona = self.hire(PersonaActor, self.me, services.clock, services.spending.tab(self._user))
        self._inbound = Inbound(self._caller, persona, Clips(services.pool, self.me, self._by))
        self._outbound = Outbound(self._caller, persona, self._tally, Phases(services.counters))
        self._conversation = Conversation(self._caller, self._inbound, self._outbound, self._tally)
        holding = services.waiting.holding(0)
        self._room = Room(self._inbound.recordings, self._refusals, self.me.tell, holding)
        self._switchboard = Switchboard(self, self._caller, persona, self._conversation, services)
        self._bridges = self._switchboard.bridges
        self._events = UpstreamEvents(self, self._caller, self._conversation, self._bridges, self._account)
        self._intake = Intake(self, self._caller, self._conversation, self._switchboard, self._room, self._refusals)
        self._absence = Absence(self, self.me, self._user, self._conversation, persona, self._supervisor)
        self._due = Due(self, self._switchboard, self._absence, (services.counters, self._tally), self._lost)
        self._due.come(Look(), over=False)
        self.after(self._caller.identity.longest(services.limits.call_seconds), TimeUp())
        name, version = services.log_name(self._user), services.current.catalogue.version
        log.info("began session=%s user=%s catalogue=%s address=%s", self._id, name, version, self._address or "-")

    # What it does for the objects that it owns: see SwitchboardHost.

    def hire_bridge(self, generation: Generation, setup: Configure) -> Hired[BridgeInbox]:
        """Open the upstream connection of this generation."""
        return self.hire(OpenAIBridgeActor, self.me, generation, self._services.upstream, self._user, setup)

    def reserve(self, choice: ChoiceId, wish: Wish) -> None:
        """Ask the supervisor for a place with whoever this choice wishes for."""
        self._supervisor.tell(Reserve(self.me, choice, wish))

    def release_slots(self, choices: frozenset[ChoiceId]) -> None:
        """Tell the supervisor that these choices need their places no more."""
        self._supervisor.tell(ReleaseSlots(self.me, choices))

    def pace(self) -> None:
        """Release what is due of a streamed reply, and look again when more is."""
        if (wait := self._outbound.pace(self.clock())) is not None:
            self.after(wait, ReleaseDue())

    def lose(self, close: Close) -> bool:
        """Close the caller's connection; False, and nothing happens, if they may not come back over another."""
        return self._absence.since is not None or self._absence.begin(close, None, close)

    def leave(self, close: Close) -> None:
        """End the call, and tell the caller this; once it has ended nothing happens."""
        if self._call_ending.begun:
            return
        self._call_ending.begin(close)
        self._supervisor.tell(Leaving(self.me, close.code))
        self._conversation.close()
        self._room.close()
        self._bridges.close()
        self._persona.tell(CloseBill())

    # The caller's connections.

    def _connection(self, message: Wished | Resume | LostSight | SeenAgain) -> None:
        over = self._call_ending.begun
        if not isinstance(message, Wished):
            self._absence.come(message, over=over)
        elif message.connection == self._caller.connection and not over:
            self._intake.hear(message.wish)

    # How it ends.

    def _consider_leaving(self, message: Detached | Replaced | Stop | TimeUp | GraceOver | LetGo) -> None:
        match message:
            case Detached(connection, how, seen_at):
                if connection != self._caller.connection or self._absence.since is not None:
                    return
                if self._call_ending.begun or not self._absence.begin(how, seen_at):
                    self._caller.detach()
                    self._absence.unmetered(seen_at)
                    self.leave(how)
            case GraceOver() | LetGo() if self._absence.since is not None:
                self.leave(GONE)
            case LetGo():
                self._caller.forfeit()
            case Replaced():
                self.leave(Close(4409, "replaced by your newer connection: do not reconnect this one"))
            case Stop():
                self._caller.tell(Notice("draining", "The server is restarting: call again in a moment."))
                self.leave(RESTARTING)
            case TimeUp():
                self.leave(Close(1000, "this call has reached its longest time: call again to go on"))

    def _end_when_all_is_told(self) -> None:
        """The bill to the caller, and to us the last facts of each connection."""
        if self._call_ending.done and not self._bridges.line.legs():
            self.end()

    def _child_ended(self, down: Down) -> None:
        leg = self._bridges.line.leg_of(down.ref)
        if leg is None or isinstance(down.cause, MailboxOverflow):  # the persona, which escalates, or a flood
            self.end(down.cause or RuntimeError(f"the {down.name} of session {self._id} ended"))
            return
        if leg in self._bridges.line.retiring:  # as all are, once the caller is gone
            self._bridges.gone(leg)
            if self._call_ending.begun:
                self._end_when_all_is_told()
            return
        if isinstance(down.cause, AccountRefused):
            self._supervisor.tell(AccountBlocked(str(down.cause)))
        self._lost(leg, down.cause or UpstreamLost("it has ended"))

    def _lost(self, leg: Leg, cause: BaseException | None) -> None:
        """A connection has ended; without a cause, it is given up because nothing comes of it."""
        log.warning("session=%s lost generation %d: %s", self._id, leg.generation, cause or "it says nothing")
        self._services.counters.upstream_lost += 1
        if leg is self._bridges.line.live:
            self._caller.tell(RECONNECTING)
            if self._conversation.lost(leg, died=cause is not None and not isinstance(cause, UpstreamRefused)):
                self._bridges.answered()  # it was lost over one turn: it serves the next one
            if self._outbound.streamed:
                self.pace()
        self._switchboard.lost(leg, cause)

    def on_stop(self) -> None:
        self._conversation.close()
        self._room.close()
        self._call_ending.say()  # if the persona crashed over the bill
        counted = self._switchboard.counted() | {"heard_ms": self._intake.ms} | self._tally | self._absence.told()
        told = self._call_ending.told(counted | self._outbound.phases.told() | self._account.told())
        name = self._services.log_name(self._user)
        log.info("ended session=%s user=%s seconds=%.1f %s", self._id, name, self.clock() - self._began, told)
        self._caller.forget()
