"""What the model says in a call: every event of every connection is dispatched here.

From a connection that does not serve (it is coming, it retires, or another persona is being called) only the words of
the caller count; usage counts from any connection, also from one that is gone.
"""

from typing import TypeAlias, assert_never

from actors.call.bridges import Bridges
from actors.call.connection import Caller
from actors.call.conversation import Conversation
from actors.call.host import SwitchboardHost
from actors.call.line import Leg
from actors.call.outbound import Outcome
from actors.call.phases import Phase
from actors.call.timers import MicrophoneSilent
from actors.call.uplink import MUTED_SECONDS
from actors.call.usage import Account
from actors.messages.bridge import TruncateReply
from actors.messages.caller import SpeechStarted
from actors.messages.ids import Generation
from upstream import facts
from upstream.facts import (
    NO_TURN,
    Allowance,
    AskFailed,
    Committed,
    Configured,
    Event,
    Postponed,
    ReplyAudio,
    ReplyBegan,
    ReplyEnded,
    ReplyNumber,
    ReplySaid,
    ReplyWords,
    SpeechStopped,
    Transcribed,
    TurnId,
    Unusable,
    Used,
)

ServingEvent: TypeAlias = (
    ReplyAudio | ReplyWords | ReplySaid | ReplyBegan | ReplyEnded | facts.SpeechStarted | SpeechStopped | Committed
    | AskFailed | Postponed
)  # fmt: skip
"""The events that count only from the connection that serves: nobody waits for an answer of any other."""


class UpstreamEvents:
    """Decides which events count from which connection, and does what each of them means for the call."""

    def __init__(
        self,
        host: SwitchboardHost,
        caller: Caller,
        conversation: Conversation,
        bridges: Bridges,
        account: Account,
    ) -> None:
        self._host, self._caller, self._account = host, caller, account
        self._conversation, self._bridges = conversation, bridges
        self._inbound, self._outbound, self._owed = conversation.inbound, conversation.outbound, conversation.owed
        self._phases, self._number = conversation.outbound.phases, conversation.inbound.words.number

    def learn(self, generation: Generation, event: Event) -> None:
        """The connection of this generation, which may be gone by now, has told an event."""
        leg = self._bridges.line.leg(generation)
        match event:
            case Used() | Allowance():
                self._account.count(event)  # it is paid for, also where the connection is gone
            case Transcribed(ask, text, final):
                if leg:  # the caller said it, also where the connection retires
                    number = self._inbound.words.number(leg, ask)
                    self._inbound.transcribed(leg, number, text, final, at_once=self._outbound.streamed)
            case Configured() | Unusable():
                pass  # the bridge has made Ready of it, or has ended
            case _:
                if leg and leg is self._bridges.serving:
                    self._serves(leg, event)
        if leg and self._outbound.streamed:
            self._host.pace()

    def _serves(self, leg: Leg, event: ServingEvent) -> None:
        """The connection that serves has told an event. If something else may be asked of it now, that is asked."""
        now, number = self._host.clock(), self._number
        match event:
            case ReplyAudio() | ReplyWords() | ReplySaid():
                self._outbound.add(leg.generation, event, now)
                return
            case ReplyBegan(reply, ask):
                self._reply_began(leg, reply, number(leg, ask), now)
                return
            case facts.SpeechStarted(ask, at_ms, behind):
                if self._outbound.streamed:
                    self._caller_speaks(leg, number(leg, ask), at_ms, behind, now)
                return
            case SpeechStopped(_, at_ms):
                if self._outbound.streamed:
                    self._phases.heard(self._inbound.stream.speaking, self._inbound.paused(at_ms, now), now)
            case Committed(ask):
                self._phases.reached(number(leg, ask), Phase.COMMITTED, now)
                self._inbound.committed(leg, number(leg, ask), now)
            case ReplyEnded(_, ask):
                self._reply_ended(leg, number(leg, ask), event, now)
            case AskFailed(ask, code):
                self._owed.fail(number(leg, ask), code, full=event.full, foreign=event.foreign)
            case Postponed(reply, ask, seconds):
                self._owed.put_off(number(leg, ask), seconds)
                self._outbound.postponed(leg.generation, reply)
            case _:
                assert_never(event)
        self._bridges.go_on()

    def _reply_began(self, leg: Leg, reply: ReplyNumber, ask: TurnId, now: float) -> None:
        said, greeting = self._inbound.turns.get(ask), self._conversation.greetings.owed
        self._owed.began(leg, ask)
        if greeting and ask == greeting.number:
            self._conversation.greetings.began(greeting)
            if not greeting.said_before and not self._conversation.greetings.insisted.alone(ask):
                self._inbound.stream.greeted()
            self._outbound.began(leg, reply, ask, greeting.said_before, greeting.written, now)
        elif said and not said.cancelled:
            self._outbound.began(leg, reply, ask, said.said_before, said.written, now)
        elif leg.bridge:
            leg.bridge.tell(TruncateReply(reply, 0))  # it began before our CancelReply arrived: nobody hears it
        self._conversation.listen(leg)  # what had to come first has been said

    def _reply_ended(self, leg: Leg, ask: TurnId, ended: ReplyEnded, now: float) -> None:
        self._owed.ended()
        match self._outbound.ended(leg.generation, ended, now):
            case Outcome.ANSWER:
                self._owed.settle(ask)
                self._conversation.greetings.insisted.retry()
            case Outcome.WRITTEN:
                self._owed.came_in_writing(leg, ask, ended.reply, ended.text)
            case Outcome.FAILED:
                reason = ended.reason or "it said nothing"
                self._owed.fail(ask, reason, full=ended.full, foreign=ended.foreign)
            case Outcome.CANCELLED if ended.ask < NO_TURN and not self._outbound.streamed:
                self._owed.settle(ask)  # they spoke on, and then changed the mode: what was spoken is over
            case Outcome.CANCELLED if not ((said := self._inbound.turns.get(ask)) and said.behind):
                self._owed.was_cancelled(leg, ask)
            case Outcome() if (said := self._inbound.turns.get(ask)) and said.behind:
                # The caller was still speaking when it began: one answer serves both.
                self._inbound.turns.change(ask, cancelled=True, behind=0)
        if ended.status == "completed":
            self._bridges.answered()

    def _caller_speaks(self, leg: Leg, number: TurnId, at_ms: int, behind: TurnId, now: float) -> None:
        self._inbound.began(number, at_ms, behind, now)
        self._conversation.stop(leg, now, now, behind)  # the upstream stopped by itself when it heard this
        self._conversation.greetings.drop()  # it has begun, or nobody would have heard the caller
        self._caller.tell(SpeechStarted())
        self._host.after(MUTED_SECONDS, MicrophoneSilent())
