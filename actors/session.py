"""UserSessionActor: one caller's line. It owns the caller's connection, and decides which upstream serves."""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeAlias, assert_never

from actors.bridge import BridgeInbox, OpenAIBridgeActor
from actors.call.choices import Choices
from actors.call.clips import Clips
from actors.call.connection import Caller
from actors.call.conversation import MOVES, WRONG_MODE, Conversation
from actors.call.ending import CallEnding, minute
from actors.call.intake import Intake
from actors.call.line import Leg
from actors.call.room import Room
from actors.call.switchboard import Switchboard, SwitchboardHost
from actors.call.timers import Look, MicrophoneSilent, ReconnectDue, ReleaseDue, Timer, TimeUp
from actors.call.uplink import MUTED_SECONDS
from actors.call.usage import Account
from actors.call.watch import RECONNECTING, End, Watch
from actors.messages.admission import (
    AccountBlocked,
    Attached,
    Declined,
    Detached,
    Displaced,
    From,
    FromSession,
    Leaving,
    ReleaseSlots,
    Replaced,
    Reserve,
    Reserved,
)
from actors.messages.bridge import AccountRefused, Configure, FromBridge, Ready, UpstreamEvent, UpstreamLost
from actors.messages.caller import (
    Chose,
    Close,
    Error,
    FromCaller,
    HungUp,
    Interrupted,
    Malformed,
    Notice,
    Pinged,
    Played,
    Pong,
    Recorded,
    SearchedPersona,
    Spoke,
    TooFast,
    Typed,
)
from actors.messages.ids import Generation
from actors.messages.persona import BillClosed, CloseBill, FromPersona, MinutePassed, Prepared, Selected
from actors.persona import PersonaActor, PersonaInbox
from actors.runtime import Boot, Down, Hired, LoopActor, MailboxOverflow, Ref, Stop
from actors.services import Services
from audio import Decoded, Undecoded
from schemas import Refused
from upstream.facts import Allowance, Event, ReplyEnded, SpeechStarted, Used

log = logging.getLogger(__name__)

SessionInbox: TypeAlias = (
    Boot | Stop | Down | Attached | Detached | Replaced | From | FromPersona | Reserved | FromBridge | Decoded
    | Undecoded | Displaced | Timer
)  # fmt: skip


class UserSessionActor(LoopActor[SessionInbox]):
    """One caller, from their connection to the last fact of the last upstream. Never restarted."""

    name = "session"
    _talk: Conversation  # this and what follows is there from Boot on
    _board: Switchboard
    _persona: Hired[PersonaInbox]
    _clock: Callable[[], float]
    _began: float
    _room: Room
    _intake: Intake

    def __init__(
        self, user: str, session_id: str, services: Services, supervisor: Ref[FromSession], address: str = ""
    ) -> None:
        """`address` is where the caller calls from; it is empty where callers are not told apart by that."""
        super().__init__()
        self._address = address
        self._by = (("address", address), ("user", user)) if address else (("user", user),)
        self._supervisor = supervisor
        self._user, self._id, self._services = user, session_id, services
        self._caller = Caller(session_id, services.limits.bad_messages, services.limits.messages)
        self._account = Account(services.counters)
        self._call_ending = CallEnding(self._caller)
        self._watch = Watch(services.limits)

    def on_receive(self, message: SessionInbox) -> None:
        match message:
            case From(connection, said):
                if connection == self._caller.connection and not self._call_ending.begun:
                    self._hear(said)
            case UpstreamEvent(generation, event):
                self._learn(generation, event)
            case Decoded() | Undecoded() | Displaced():
                if self._room.told(message):
                    self._board.go_on()
                    if isinstance(message, Undecoded):
                        self._refuse(message.code, message.message, message.counts)
            case Ready():
                self._leave_with(self._board.ready(message))
            case Prepared():
                self._board.prepared(message)
            case Selected() | Reserved():
                self._leave_with(self._board.decided(message))
            case Declined(choice, code, reason):
                self._refuse(code, reason)
                self._board.declined(choice)
            case MinutePassed(bill):
                self._caller.tell(minute(bill))
            case BillClosed(bill):
                self._call_ending.settle(bill)
                self._end_when_all_is_told()
            case Attached(connection, outbox, mode):
                self._caller.attach(connection, outbox)
                self._room.of(self._services.waiting.holding(connection, self._address))
                if mode:
                    self._board.set_mode(mode)
            case Detached() | Replaced() | Stop() | TimeUp():
                self._consider_leaving(message)
            case Down():
                self._child_ended(message)
            case ReleaseDue():
                self._pace()
            case MicrophoneSilent():
                if self._talk.stream.close_what_is_open(self._clock()):
                    self.after(MUTED_SECONDS, message)
                    self.after(0.0, Look())
            case ReconnectDue():
                self._leave_with(self._board.steer())
            case Look():
                self._look()
            case Boot():
                self._begin()
            case _:
                assert_never(message)

    # What the caller says.

    def _hear(self, said: FromCaller) -> None:
        now = self._clock()
        if close := self._caller.spoke(now):
            self._leave(close)
            return
        match said:
            case Spoke(pcm):
                if close := self._intake.hear(pcm, now):
                    self._leave(close)
            case Played(response_id, ms):
                self._talk.replies.played(response_id, ms, now)
            case Pinged():
                self._caller.tell(Pong())
            case _:
                try:
                    self._said(said, now)
                except Refused as refused:
                    self._refuse(refused.code, refused.message)

    def _said(self, said: FromCaller, now: float) -> None:
        """Raises Refused."""
        match said:
            case Chose():
                self._board.choose(said)
            case SearchedPersona():
                self._board.seek(said)
            case Recorded() | Typed() if not self._board.choice:
                self._caller.tell(Error("no_persona", "Choose a persona first: send config with an astrologer_id."))
            case Recorded() if not self._board.takes("clip"):
                raise Refused("wrong_mode", WRONG_MODE["stream"])
            case Recorded() | Typed() if self._talk.full:
                raise Refused("busy", "Several of your messages wait already: let them be answered first.")
            case Recorded(clip, came_as):
                counted = self._room.take(clip, came_as)
                self._board.spoke("clip")
                self._talk.recordings.add(self._board.choice, now, clip, counted)
            case Typed(text):
                self._talk.type(self._board.choice, now, text)
                self._board.go_on()
            case Interrupted():
                self._talk.interrupt(self._board.line.live, now)
                self._board.go_on()
            case HungUp():
                self._leave(Close(1000, "the call has ended"))
            case TooFast(reason, code, error):
                if error:
                    self._refuse(error, reason)
                self._leave(Close(code, reason))
            case Malformed(code, reason):
                raise Refused(code, reason)
            case Spoke() | Played() | Pinged():
                pass  # heard already
            case _:
                assert_never(said)

    def _refuse(self, code: str, reason: str, counts: bool = True) -> None:
        """Say what is wrong; what `counts` too often ends the call."""
        if self._call_ending.begun:
            return
        self._talk.tally[code] += 1
        self._services.counters.messages_refused[code] += 1
        if counts:
            self._leave_with(self._caller.refuse(code, reason))
        else:
            self._caller.tell(Error(code, reason))

    # What the upstream says.

    def _learn(self, generation: Generation, event: Event) -> None:
        if isinstance(event, Used | Allowance):
            self._account.count(event)
            return
        leg = next((leg for leg in self._board.line.legs() if leg.generation == generation), None)
        if leg is None:
            return
        live = leg is self._board.serving
        self._talk.learn(leg, live, event, self._clock())
        if isinstance(event, ReplyEnded) and live and event.status == "completed":
            self._board.answered()
        if isinstance(event, SpeechStarted):
            self.after(MUTED_SECONDS, MicrophoneSilent())
        if isinstance(event, MOVES) and live:
            self._board.go_on()
        if self._board.mode == "stream":
            self._pace()

    def _pace(self) -> None:
        """Release what is due of a streamed reply, and look again when more is."""
        if (wait := self._talk.replies.pace(self._clock())) is not None:
            self.after(wait, ReleaseDue())

    # Life.

    def _begin(self) -> None:
        services, self._clock = self._services, asyncio.get_running_loop().time
        self._began = self._clock()
        self._persona = persona = self.hire(PersonaActor, self.me, services.current)
        self._talk = Conversation(self._caller, persona, Clips(services.pool, self.me, self._by))
        recordings, counters = self._talk.recordings, services.counters
        self._room = Room(
            self._caller, recordings, self._talk.tally, counters, self.me.tell, services.waiting.holding(0)
        )
        hands = SwitchboardHost(
            self._hire_bridge,
            lambda chosen: self._supervisor.tell(Reserve(self.me, chosen.choice, chosen.personas)),
            lambda keeps: self._supervisor.tell(ReleaseSlots(self.me, keeps)),
            lambda seconds: self.after(seconds, ReconnectDue()),
            self._pace,
            lambda: self.after(0.0, Look()),  # once, when all that happens now has happened
            lambda: self._watch.until,
            self._clock,
        )
        choices = Choices(services.limits.switches)
        self._board = Switchboard(self._caller, self._talk, persona, hands, services.upstream.can, choices)
        self._intake = Intake(self._caller, self._board, self._talk.stream, self._refuse)
        self._look()
        self.after(services.limits.call_seconds, TimeUp())
        log.info("began session=%s user=%s catalogue=%s", self._id, self._user, services.current.catalogue.version)

    def _hire_bridge(self, generation: Generation, setup: Configure) -> Hired[BridgeInbox]:
        return self.hire(OpenAIBridgeActor, self.me, generation, self._services.upstream, self._user, setup)

    def _consider_leaving(self, message: Detached | Replaced | Stop | TimeUp) -> None:
        match message:
            case Detached(connection, how):
                if connection == self._caller.connection:
                    self._caller.detach()
                    self._leave(how)
            case Replaced():
                self._leave(Close(4409, "replaced by your newer connection: do not reconnect this one"))
            case Stop():
                self._caller.tell(Notice("draining", "The server is restarting: call again in a moment."))
                self._leave(Close(1001, "the server is restarting: call again in a moment"))
            case TimeUp():
                self._leave(Close(1000, "this call has reached its longest time: call again to go on"))

    # What the caller waits for.

    def _look(self) -> None:
        """Say and do what is due by the table, and look again when more is."""
        if self._call_ending.begun:
            return
        due, wait = self._watch.look(self._board.waits(), self._clock())
        if wait is not None:
            self.after(wait, Look())
        for what in due:
            match what:
                case Notice():
                    self._caller.tell(what)
                case Close():
                    self._leave(what)
                case End.GIVE_UP:
                    self._leave_with(self._board.give_up())
                case End.FAIL:
                    self._board.fail()
                case _ if live := self._board.serving:
                    self._lost(live, None)

    def _leave(self, close: Close) -> None:
        if self._call_ending.begun:
            return
        self._call_ending.begin(close)
        self._supervisor.tell(Leaving(self.me, close.code))
        self._talk.close()
        self._room.close()
        self._board.close()
        self._persona.tell(CloseBill())

    def _end_when_all_is_told(self) -> None:
        """The bill to the caller, and to us the last facts of each connection."""
        if self._call_ending.done and not self._board.line.legs():
            self.end()

    def _leave_with(self, close: Close | None) -> None:
        if close:
            self._leave(close)

    def _child_ended(self, down: Down) -> None:
        line = self._board.line
        leg = next((leg for leg in line.legs() if leg.bridge == down.ref), None)
        if leg is None or isinstance(
            down.cause, MailboxOverflow
        ):  # the persona, whose policy is to escalate, or a flood
            self.end(down.cause or RuntimeError(f"the {down.name} of session {self._id} ended"))
            return
        if leg in line.retiring:  # as all are, once the caller is gone
            self._board.line = line.without(leg.generation)
            if self._call_ending.begun:
                self._end_when_all_is_told()
            return
        if isinstance(down.cause, AccountRefused):
            self._supervisor.tell(AccountBlocked(str(down.cause)))
        self._lost(leg, down.cause or UpstreamLost("it has ended"))

    def _lost(self, leg: Leg, cause: BaseException | None) -> None:
        """A connection has ended, or, without a cause, is as good as lost: it had its time."""
        log.warning("session=%s lost generation %d: %s", self._id, leg.generation, cause or "it says nothing")
        self._services.counters.upstream_lost += 1
        if leg is self._board.line.live:
            self._caller.tell(RECONNECTING)
            self._talk.lost(leg)
            if self._board.mode == "stream":
                self._pace()
        self._leave_with(self._board.lost(leg, cause, self._services.losses))

    def on_stop(self) -> None:
        self._talk.close()
        self._room.close()
        self._call_ending.say()  # if the persona crashed over the bill
        counted = self._board.counted() | {"heard_ms": self._intake.ms} | self._talk.tally
        told = self._call_ending.told(counted | self._account.told(self._services.upstream.prices))
        log.info("ended session=%s user=%s seconds=%.1f %s", self._id, self._user, self._clock() - self._began, told)
