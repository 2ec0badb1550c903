"""UserSessionActor: one call. It owns the caller's connection, the children and the timers.

What a message means is decided by the objects of actors/call: Intake for what the caller says, UpstreamEvents for what
the model says, Switchboard for choices and connections. What they need done, the session does (SwitchboardHost).
"""

import logging
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TypeAlias, assert_never

from actors.bridge import BridgeInbox, OpenAIBridgeActor
from actors.call import timers
from actors.call.bridges import Bridges
from actors.call.caring import Care
from actors.call.clips import Clips
from actors.call.connection import Caller
from actors.call.connections import Connections
from actors.call.conversation import Conversation
from actors.call.departure import Departure
from actors.call.due import Due
from actors.call.ending import CallEnding, minute
from actors.call.events import UpstreamEvents
from actors.call.inbound import Inbound
from actors.call.intake import Intake
from actors.call.lost_connections import LostConnections
from actors.call.moving.kept_call import Alone, kept_call
from actors.call.moving.parts import CallObjects
from actors.call.outbound import Outbound
from actors.call.phases import Phases
from actors.call.refusals import Refusals
from actors.call.resume.absence import Absence
from actors.call.room import Room
from actors.call.snapshot import SessionSnapshot, of_session
from actors.call.switchboard import Switchboard
from actors.call.trace import Trace, trace_of
from actors.call.usage import Account, end_by_budget
from actors.call.watch import Watch
from actors.caring.guard import Guard
from actors.guardian import GuardianActor, GuardianInbox
from actors.messages.admission import (
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
from actors.messages.bridge import Configure, FromBridge, Ready, UpstreamEvent
from actors.messages.caller import Close
from actors.messages.caring import InCare
from actors.messages.guardian import FromGuardian, HelpNamed, Worried
from actors.messages.identity import Identity
from actors.messages.ids import ChoiceId, Generation
from actors.messages.moving import ForRegistrar, LastKept, MoveCall, Superseded, ToMovingCall, TookCall, YieldCall
from actors.messages.persona import BillClosed, CloseBill, FromPersona, MinutePassed, Prepared, Recalled
from actors.persona import PersonaActor, PersonaInbox
from actors.runtime import Boot, Down, Hired, LoopActor, Ref, Stop
from actors.services import Services
from audio import Decoded, Undecoded
from care import shipped

log = logging.getLogger(__name__)

SessionInbox: TypeAlias = (
    Boot | Stop | Down | Attached | Detached | LostSight | SeenAgain | Drain | Replaced | From | Wished | Resume | LetGo
    | FromPersona | FromGuardian | Reserved | Declined | FromBridge | Decoded | Undecoded | Displaced | timers.Timer
    | ToMovingCall
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
    trace: Trace
    _began: float
    _room: Room
    _intake: Intake
    _absence: Absence
    _due: Due
    _departure: Departure
    _care: Care
    _lost: LostConnections
    _moving: Alone
    _connections: Connections

    def __init__(
        self,
        identity: Identity,
        session_id: str,
        services: Services,
        supervisor: Ref[FromSession | ForRegistrar],
        address: str = "",
        taken: TookCall | None = None,
    ) -> None:
        """`address`: where the caller calls from, empty where that tells nobody apart; `taken`: it was elsewhere."""
        super().__init__()
        self._address, self._supervisor, self._user = address, supervisor, identity.user
        self._by = (("address", address), ("user", self._user)) if address else (("user", self._user),)
        self._id, self._services, self._taken = session_id, services, taken
        self._caller = Caller(session_id, identity, not services.caring.leave_out_disclosure, services.node)
        self._tally: Counter[str] = Counter()
        self._refusals = Refusals(self._caller, self.leave, services.limits, self._tally, services.counters)
        self.watch = Watch(services.limits)
        self._account = Account(services, identity.user, end_by_budget(self._caller, self.me.tell, self.watch))
        self._call_ending = CallEnding(self._caller)

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
            case Reserved() | Declined():
                self._decided(message)
            case MinutePassed(bill):
                self._caller.tell(minute(bill))
                self._moving.save()
            case BillClosed(bill):
                self._absence.ended(bill, self._call_ending.help)
                self._call_ending.settle(bill)
                self._end_when_all_is_told()
            case Attached() | Wished() | Resume() | LostSight() | SeenAgain():
                self._connections.come(message, over=self._call_ending.begun)
            case Detached() | Replaced() | Stop() | timers.TimeUp() | timers.GraceOver() | LetGo():
                self._departure.consider(message)
            case Down():
                self._child_ended(message)
            case timers.ReleaseDue():
                self.pace()
            case timers.ReconnectDue():
                self._switchboard.steer()
            case timers.Look() | timers.MicrophoneSilent() | Drain() | timers.PauseDue():
                self._due.come(message, over=self._call_ending.begun)
                self._moving.look()
            case (
                Recalled() | YieldCall() | Superseded() | LastKept() | MoveCall() | timers.SaveDue() | timers.MoveDue()
            ):
                self._moving.come(message)
                self._end_when_all_is_told()
            case Worried() | HelpNamed() | timers.CareOver() | timers.ReminderDue():
                self._care.come(message)
            case Boot():
                self._begin()
            case _:
                assert_never(message)

    def snapshot(self) -> SessionSnapshot:
        caller = self._caller.connection, self._room.holding.address
        how = self._intake.ms, self._absence.since is not None, self._call_ending.begun, self.clock()
        return of_session(super().snapshot(), caller, self._bridges.line, self._conversation, how)

    # Life.

    def _begin(self) -> None:
        services, self.clock = self._services, self._services.clock.of_this_loop()
        self._began = self.clock()
        self.trace = trace_of(services, self._id, self._user, self._began)
        self._persona = persona = self.hire(PersonaActor, self.me, services.clock, services.spending.tab(self._user))
        self._inbound = Inbound(self._caller, persona, Clips(services.pool, self.me, self._by))
        self._outbound = Outbound(self._caller, persona, self._tally, Phases(services.counters, self.trace))
        self._conversation = Conversation(self._caller, self._inbound, self._outbound, self._tally)
        self._room = Room(self._inbound.recordings, self._refusals, self.me.tell, services.waiting.holding(0))
        self._switchboard = Switchboard(self, self._caller, persona, self._conversation, services)
        self._bridges = self._switchboard.bridges
        self._events = UpstreamEvents(self, self._caller, self._conversation, self._bridges, self._account)
        self._intake = Intake(self, self._caller, self._conversation, self._switchboard, self._room, self._refusals)
        self._absence = Absence(self, self.me, self._user, self._conversation, persona, self._supervisor)
        told = self._supervisor, self._end_when_all_is_told
        self._lost = LostConnections(self, self._switchboard, services.counters, *told)
        self._due = Due(self, self._switchboard, self._absence, (services.counters, self._tally), self._lost.lost)
        guard = Guard(self.hire_guardian, services.counters)
        self._care = Care(self, self._switchboard, persona, guard, self._call_ending, services)
        self._departure = Departure(self, self._caller, self._absence, self._call_ending)
        objects = (self._room, self._switchboard, self._absence, self._account, self._care, persona, services)
        self._moving = kept_call(CallObjects(self, self.me, *objects), self._supervisor, self._taken)
        beside = self._intake, self._moving, self._room, partial(services.waiting.holding, address=self._address)
        self._connections = Connections(self._absence, self._switchboard, *beside)
        self._due.come(timers.Look(), over=False)
        self.after(self._caller.identity.longest(services.limits.call_seconds), timers.TimeUp())
        name, version = services.log_name(self._user), services.current.catalogue.version
        log.info("began session=%s user=%s catalogue=%s address=%s", self._id, name, version, self._address or "-")

    # What it does for the objects that it owns: see SwitchboardHost.

    def hire_bridge(self, generation: Generation, setup: Configure) -> Hired[BridgeInbox]:
        """Open the upstream connection of this generation."""
        return self.hire(OpenAIBridgeActor, self.me, generation, self._services.upstream, self._user, setup)

    def hire_guardian(self) -> Hired[GuardianInbox]:
        """Have somebody read what is said."""
        return self.hire(GuardianActor, self.me, shipped(), self._care.helplines, self._services, self._care.worries)

    def in_care(self) -> None:
        """The call is in care: the supervisor is told, and it does not end for what was due of the caller's own."""
        self._due.spare()
        self._supervisor.tell(InCare(self.me))

    def drain(self, message: Drain) -> None:
        """End at the next pause."""
        self._due.come(message, over=self._call_ending.begun)

    def reserve(self, choice: ChoiceId, wish: Wish) -> None:
        """Ask the supervisor for a place with whoever this choice wishes for."""
        self._supervisor.tell(Reserve(self.me, choice, wish))

    def release_slots(self, choices: frozenset[ChoiceId]) -> None:
        """Tell the supervisor that these choices need their places no more."""
        self._supervisor.tell(ReleaseSlots(self.me, choices))

    def pace(self) -> None:
        """Release what is due of a streamed reply, and look again when more is."""
        if (wait := self._outbound.pace(self.clock())) is not None:
            self.after(wait, timers.ReleaseDue())

    def lose(self, close: Close) -> bool:
        """Close the caller's connection; False, and nothing happens, if they may not come back over another."""
        return self._absence.since is not None or self._absence.begin(close, None, close)

    def leave(self, close: Close) -> None:
        """End the call, and tell the caller this; once it has ended nothing happens."""
        if self._call_ending.begun:
            return
        self._call_ending.begin(close)
        self._care.leaving()
        self._supervisor.tell(Leaving(self.me, close.code))
        self._moving.leave(close)
        self._conversation.close()
        self._room.close()
        self._bridges.close()
        self._persona.tell(CloseBill())

    # Choices that are decided.

    def _decided(self, decided: Reserved | Declined) -> None:
        if isinstance(decided, Reserved):
            self._switchboard.granted(decided)
            self._moving.granted(decided)
        elif not self._call_ending.begun:
            self._refusals.refuse(decided.code, decided.message, self.clock())
            self._moving.declined(decided.choice)
            self._switchboard.declined(decided.choice)

    # How it ends.

    def _end_when_all_is_told(self) -> None:
        """The bill to the caller, and to us the last facts of each connection."""
        if self._call_ending.done and self._moving.done and not self._bridges.line.legs():
            self.end()

    def _child_ended(self, down: Down) -> None:
        if down.name == GuardianActor.name:
            self._care.guardian_ended(down.cause)
        elif not self._lost.ended(down):  # the persona, which escalates, or a flood
            self.end(down.cause or RuntimeError(f"the {down.name} of session {self._id} ended"))

    def on_stop(self) -> None:
        self._conversation.close()
        self._room.close()
        self._care.ended()
        self._call_ending.say()  # if the persona crashed over the bill
        counted = self._switchboard.counted() | {"heard_ms": self._intake.ms} | self._tally | self._absence.told()
        counted |= self._outbound.phases.told() | self._account.told() | self._moving.told()
        told = self._call_ending.told(counted, elsewhere=self._moving.elsewhere)
        name = self._services.log_name(self._user)
        log.info("ended session=%s user=%s seconds=%.1f %s", self._id, name, self.clock() - self._began, told)
        self.trace.end(self.clock(), self._call_ending.code)
        self._caller.forget()
