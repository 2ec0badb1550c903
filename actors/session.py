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
from actors.call.drain import RESTARTING, CallDrain
from actors.call.due import Due
from actors.call.ending import CallEnding, minute
from actors.call.events import UpstreamEvents
from actors.call.inbound import Inbound
from actors.call.intake import Intake
from actors.call.line import Leg
from actors.call.outbound import Outbound
from actors.call.phases import Phases
from actors.call.refusals import Refusals
from actors.call.room import Room
from actors.call.snapshot import SessionSnapshot
from actors.call.switchboard import Switchboard
from actors.call.timers import Look, MicrophoneSilent, PauseDue, ReconnectDue, ReleaseDue, Timer, TimeUp
from actors.call.uplink import MUTED_SECONDS
from actors.call.usage import Account
from actors.call.watch import RECONNECTING, Watch
from actors.messages.admission import (
    AccountBlocked,
    Attached,
    Declined,
    Detached,
    Displaced,
    Drain,
    From,
    FromSession,
    Leaving,
    LostSight,
    ReleaseSlots,
    Replaced,
    Reserve,
    Reserved,
    SeenAgain,
    Wish,
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
from actors.messages.ids import ChoiceId, Generation
from actors.messages.persona import BillClosed, CloseBill, FromPersona, MinutePassed, PauseMeter, Prepared, ResumeMeter
from actors.persona import PersonaActor, PersonaInbox
from actors.runtime import Boot, Down, Hired, LoopActor, MailboxOverflow, Ref, Stop
from actors.services import Services
from audio import Decoded, Undecoded

log = logging.getLogger(__name__)

SessionInbox: TypeAlias = (
    Boot | Stop | Down | Attached | Detached | LostSight | SeenAgain | Drain | Replaced | From | FromPersona
    | Reserved | Declined | FromBridge | Decoded | Undecoded | Displaced | Timer
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
    _due: Due
    _drain: CallDrain

    def __init__(
        self, user: str, session_id: str, services: Services, supervisor: Ref[FromSession], address: str = ""
    ) -> None:
        """`address` is where the caller calls from; it is empty where callers are not told apart by that."""
        super().__init__()
        self._address = address
        self._by = (("address", address), ("user", user)) if address else (("user", user),)
        self._supervisor = supervisor
        self._user, self._id, self._services = user, session_id, services
        self._caller = Caller(session_id)
        self._tally: Counter[str] = Counter()
        self._refusals = Refusals(self._caller, self.leave, services.limits, self._tally, services.counters)
        self._account = Account(services.counters)
        self._call_ending = CallEnding(self._caller)
        self.watch = Watch(services.limits)

    def on_receive(self, message: SessionInbox) -> None:
        match message:
            case From(connection, said):
                if connection == self._caller.connection and not self._call_ending.begun:
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
                self._call_ending.settle(bill)
                self._end_when_all_is_told()
            case Attached(connection, outbox, mode):
                self._caller.attach(connection, outbox)
                self._room.of(self._services.waiting.holding(connection, self._address))
                if mode:
                    self._switchboard.mode.set(mode)
            case Detached() | Replaced() | Stop() | TimeUp() | LostSight() | SeenAgain():
                self._consider_leaving(message)
            case Down():
                self._child_ended(message)
            case ReleaseDue():
                self.pace()
            case MicrophoneSilent():
                if self._inbound.stream.close_what_is_open(self.clock()):
                    self.after(MUTED_SECONDS, message)
                    self.after(0.0, Look())
            case ReconnectDue():
                self._switchboard.steer()
            case Look() | Drain() | PauseDue():
                self._come_due(message)
            case Boot():
                self._begin()
            case _:
                assert_never(message)

    def snapshot(self) -> SessionSnapshot:
        base, line = super().snapshot(), self._bridges.line
        holds = frozenset(one.persona.id for one in (line.wanted, line.live and line.live.selection) if one)
        turns, unsent = tuple(self._inbound.turns), self._outbound.unsent
        facts = (self._caller.connection, self._room.holding.address, holds, turns, unsent)
        return SessionSnapshot(base.parent, base.children, base.cause, *facts)

    # Life.

    def _begin(self) -> None:
        services, self.clock = self._services, self._services.clock.of_this_loop()
        self._began = self.clock()
        self._persona = persona = self.hire(PersonaActor, self.me, services.clock)
        self._inbound = Inbound(self._caller, persona, Clips(services.pool, self.me, self._by))
        self._outbound = Outbound(self._caller, persona, self._tally, Phases(services.counters))
        self._conversation = Conversation(self._caller, self._inbound, self._outbound, self._tally)
        holding = services.waiting.holding(0)
        self._room = Room(self._inbound.recordings, self._refusals, self.me.tell, holding)
        self._switchboard = Switchboard(self, self._caller, persona, self._conversation, services)
        self._bridges = self._switchboard.bridges
        self._events = UpstreamEvents(self, self._caller, self._conversation, self._bridges, self._account)
        self._intake = Intake(self, self._caller, self._conversation, self._switchboard, self._room, self._refusals)
        self._due = Due(self, self._caller, self._switchboard, self._lost, services.counters, self._tally)
        self._drain = CallDrain(self, self._caller, self._conversation)
        self._due.look()
        self.after(services.limits.call_seconds, TimeUp())
        log.info("began session=%s user=%s catalogue=%s", self._id, self._user, services.current.catalogue.version)

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

    # What is due.

    def _come_due(self, message: Look | Drain | PauseDue) -> None:
        match message:
            case _ if self._call_ending.begun:
                pass
            case Look():
                self._due.look()
            case Drain() | PauseDue():
                self._drain.come(message)

    # How it ends.

    def _consider_leaving(self, message: Detached | Replaced | Stop | TimeUp | LostSight | SeenAgain) -> None:
        match message:
            case Detached(connection) | LostSight(connection) | SeenAgain(connection) if (
                connection != self._caller.connection
            ):
                pass
            case LostSight(_, seen_at):
                self._persona.tell(PauseMeter(seen_at))
            case SeenAgain():
                self._persona.tell(ResumeMeter())
            case Detached(_, how, seen_at):
                self._caller.detach()
                if seen_at is not None:
                    self._persona.tell(PauseMeter(seen_at))
                self.leave(how)
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
        counted = self._switchboard.counted() | {"heard_ms": self._intake.ms} | self._tally
        upstream = self._services.upstream
        spent = self._account.told(upstream.prices, counted=upstream.can.counts_tokens)
        told = self._call_ending.told(counted | self._outbound.phases.told() | spent)
        log.info("ended session=%s user=%s seconds=%.1f %s", self._id, self._user, self.clock() - self._began, told)
