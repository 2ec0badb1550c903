"""UserSessionActor: one caller's line. It owns the caller's connection, and decides which upstream serves."""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never

from actors.base import Boot, Down, LoopActor, Overrun, Ref, Stop
from actors.bridge import OpenAIBridgeActor
from actors.caller import Caller
from actors.clips import Clips
from actors.conversation import Conversation
from actors.equipment import Equipment
from actors.line import Discard, GiveUp, Leg, Line, Open, Retune, Selection, Swap, Wait, steer
from actors.messages import (
    AccountRefused,
    Answered,
    Attached,
    Barred,
    Choose,
    Chose,
    Close,
    ConfigAck,
    Configure,
    Declined,
    Detached,
    Error,
    Fact,
    From,
    FromBridge,
    FromCaller,
    FromPersona,
    FromSession,
    Garbled,
    HungUp,
    Interrupted,
    Leaving,
    Listen,
    Mode,
    Notice,
    Pinged,
    Played,
    Pong,
    Prepare,
    Prepared,
    Ready,
    Recorded,
    Replaced,
    Selected,
    Spoke,
    ToPersona,
    Typed,
    UpstreamRefused,
)
from actors.persona import PersonaActor
from audio import Decoded, Undecoded
from realtime.events import AskFailed, Committed, Event, Paused, ReplyEnded, Speaking
from realtime.protocol import BYTES_PER_MS

log = logging.getLogger(__name__)

HASTE_MS = 30_000  # of a stream may come ahead of real time: a phone that was out of reach for a while


@dataclass(frozen=True, slots=True)
class Quiet:
    """A timer: has the caller said anything lately?"""


@dataclass(frozen=True, slots=True)
class TimeUp:
    """A timer: the call has lasted as long as a call may."""


@dataclass(frozen=True, slots=True)
class Pace:
    """A timer: more of a reply may be released."""


@dataclass(frozen=True, slots=True)
class Retry:
    """A timer: another upstream connection is due."""


SessionInbox: TypeAlias = (
    Boot | Stop | Down | Attached | Detached | Replaced | From | FromPersona | FromBridge | Decoded | Undecoded
    | Quiet | TimeUp | Retry | Pace
)  # fmt: skip


class UserSessionActor(LoopActor[SessionInbox]):
    """One caller, from their connection to the last fact of the last upstream. Never restarted."""

    name = "session"
    _persona: Ref[ToPersona]  # this and what follows is there from Boot on
    _talk: Conversation
    _clock: Callable[[], float]
    _began: float
    _spoke_at: float

    def __init__(self, user: str, session_id: str, equipment: Equipment, supervisor: Ref[FromSession]) -> None:
        super().__init__()
        self._supervisor = supervisor
        self._user, self._id, self._equipment = user, session_id, equipment
        self._caller = Caller(equipment.limits.bad_messages, equipment.limits.messages)
        self._line = Line()
        self._choice = 0  # the newest that may still be granted; what is said now is meant for it
        self._wish = ""  # the persona of that choice
        self._counted = {"choices": 0, "generations": 0}
        self._acknowledged = 0
        self._mode: Mode | None = None
        self._streamed = 0  # bytes of audio that came in a stream
        self._leaving = False
        self._why = "it was stopped"

    def on_receive(self, message: SessionInbox) -> None:
        match message:
            case From(connection, said):
                if connection == self._caller.connection and not self._leaving:
                    self._hear(said)
            case Fact(generation, event):
                self._learn(generation, event)
            case Decoded() | Undecoded():
                self._talk.decoded(message)
                self._go_on()
                if isinstance(message, Undecoded) and message.misunderstood:
                    self._refuse(message.code, message.message)
            case Ready(generation, choice):
                self._ready(generation, choice)
            case Prepared():
                self._prepared(message)
            case Selected(choice, persona):
                self._selected(Selection(choice, persona))
            case Declined(choice, code, reason):
                self._declined(choice, code, reason)
            case Attached(connection, outbox):
                self._caller.attach(connection, outbox)
            case Detached() | Replaced() | Stop() | TimeUp() | Quiet():
                self._consider_leaving(message)
            case Down():
                self._child_ended(message)
            case Pace():
                self._pace()
            case Retry():
                self._steer()
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
                self._listen(pcm, now)
            case Played(response_id, ms):
                self._talk.played(response_id, ms, now)
            case Pinged():
                self._caller.tell(Pong())
            case _:
                self._spoke_at = now
                self._said(said, now)

    def _said(self, said: FromCaller, now: float) -> None:
        match said:
            case Chose(astrologer_id, mode):
                if mode:
                    self._set_mode(mode)
                self._chose(astrologer_id)
            case Recorded() | Typed() if not self._choice:
                self._caller.tell(Error("no_persona", "Choose a persona first: send config with an astrologer_id."))
            case Recorded() if self._mode == "stream":
                self._refuse("wrong_mode", "This call is a stream: send binary frames, or config with mode clip first.")
            case Recorded() | Typed() if self._talk.full:
                self._refuse("busy", "Several of your messages wait already: let them be answered first.")
            case Recorded(clip):
                self._set_mode("clip")
                self._talk.record(self._choice, now, clip)
            case Typed(text):
                self._talk.type(self._choice, now, text)
                self._go_on()
            case Interrupted():
                self._talk.interrupt(self._line.live, now)
                self._go_on()
            case HungUp():
                self._leave(Close(1000, "the call has ended"))
            case Garbled(code, reason):
                self._refuse(code, reason)
            case Spoke() | Played() | Pinged():
                pass  # heard already
            case _:
                assert_never(said)

    def _listen(self, pcm: bytes, now: float) -> None:
        """Audio of a stream: 50 times a second, so the usual case goes first."""
        if not self._choice:
            if not self._streamed:
                self._caller.tell(Error("no_persona", "Choose a persona first: send config with an astrologer_id."))
            self._streamed += len(pcm)
            return
        if self._mode != "stream":
            if self._mode == "clip":
                self._refuse("wrong_mode", "This call takes recorded clips: send audio, or config with mode stream.")
                return
            self._set_mode("stream")
        self._streamed += len(pcm)
        if self._streamed / BYTES_PER_MS > (now - self._began) * 1000 + HASTE_MS:
            self._caller.tell(
                Error("too_many_messages", "Audio comes faster than anybody speaks: send it in real time.")
            )
            self._leave(Close(4400, "audio came faster than anybody speaks: send it in real time"))
            return
        self._talk.stream.hear(pcm, now)

    def _set_mode(self, mode: Mode) -> None:
        """The first audio, or a config, says how the caller speaks."""
        if mode == self._mode:
            return
        streamed, before, self._mode = mode == "stream", self._mode, mode
        if before:
            self._talk.change_mode(streamed, self._line.live, self._clock())
        else:
            self._talk.set_mode(streamed, self._clock())
        for leg in (self._line.live, self._line.coming):
            if leg and leg.bridge:
                leg.bridge.tell(Listen(streamed))
        self._go_on()
        if streamed:
            self._pace()

    def _refuse(self, code: str, reason: str) -> None:
        if close := self._caller.refuse(code, reason):
            self._leave(close)

    def _chose(self, astrologer_id: str) -> None:
        if astrologer_id == self._wish:
            if self._line.live and self._line.live.selection.choice == self._choice:
                self._acknowledge(self._line.live)
            return
        self._counted["choices"] += 1
        self._choice, self._wish = self._counted["choices"], astrologer_id
        self._talk.expect(self._choice)
        self._persona.tell(Choose(self._choice, astrologer_id))

    # What the persona actor answers.

    def _selected(self, selection: Selection) -> None:
        if self._leaving:
            return
        live = self._line.live
        if live and live.selection == self._line.wanted:
            name = selection.persona.name
            self._caller.tell(Notice("switching", f"{name} is being called."))
        self._talk.switch(live, selection.choice, selection.persona.greeting, self._clock())
        self._line = replace(self._line, wanted=selection, fatal=False)
        self._steer()

    def _declined(self, choice: int, code: str, reason: str) -> None:
        self._refuse(code, reason)
        wanted = self._line.wanted
        before = wanted.choice if wanted else 0
        if self._choice == choice:
            self._choice, self._wish = before, wanted.persona.id if wanted else ""
        self._talk.retag(choice, before)
        self._go_on()

    def _prepared(self, prepared: Prepared) -> None:
        leg = self._line.coming
        if not leg or leg.generation != prepared.generation or leg.selection.persona != prepared.persona:
            return  # of a choice that was made anew since
        listening = replace(prepared.setup, listens=self._mode == "stream")
        setup = Configure(leg.selection.choice, listening, prepared.turns)
        if leg.bridge:
            leg.bridge.tell(setup)
        else:
            upstream = self._equipment.upstream
            bridge = self.hire(OpenAIBridgeActor, self.me, leg.generation, upstream, self._user, setup)
            leg = replace(leg, bridge=bridge)
        self._line = replace(self._line, coming=replace(leg, fresh=not prepared.turns))

    # Which upstream serves.

    def _steer(self) -> None:
        while move := steer(self._line, self._clock()):
            match move:
                case Open(selection):
                    self._counted["generations"] += 1
                    self._prepare(Leg(self._counted["generations"], selection))
                case Retune(leg):
                    self._prepare(leg)
                case Discard(leg):
                    self._line = replace(self._line, coming=None)
                    self._retire(leg)
                case Swap():
                    self._swap()
                case Wait(seconds):
                    # Spread, because the others have probably lost theirs at the same moment.
                    self.after(seconds * random.uniform(1.0, 1.25), Retry())
                    return
                case GiveUp():
                    self._give_up()
                case _:
                    assert_never(move)

    def _prepare(self, leg: Leg) -> None:
        self._line = replace(self._line, coming=leg)
        self._persona.tell(Prepare(leg.generation, leg.selection.persona))

    def _ready(self, generation: int, choice: int) -> None:
        leg = self._line.coming
        if leg and leg.generation == generation and leg.selection.choice == choice:
            self._line = replace(self._line, coming=replace(leg, ready=True))
            self._steer()

    def _swap(self) -> None:
        old, live = self._line.live, self._line.coming
        assert live
        self._line = replace(self._line, live=replace(live, fresh=False), coming=None)
        if old:
            self._retire(old)
        if live.selection.choice != self._acknowledged:
            self._acknowledge(live)
        else:
            self._caller.tell(Notice("resumed", "The connection to the model is back."))
        self._talk.take_over(live)
        self._go_on()

    def _acknowledge(self, live: Leg) -> None:
        self._acknowledged, persona = live.selection.choice, live.selection.persona
        message = f"{persona.name} is on the line."
        names = (persona.id, persona.name, persona.language, persona.language_code, persona.voice)
        self._caller.tell(ConfigAck(*names, self._id, message))

    def _retire(self, leg: Leg) -> None:
        if leg.bridge:
            self._line = replace(self._line, retiring=(*self._line.retiring, leg))
            leg.bridge.tell(Stop())

    def _give_up(self) -> None:
        code = "upstream_refused" if self._line.fatal else "upstream_unavailable"
        live, wanted = self._line.live, self._line.wanted
        if live and wanted:
            reason = f"{wanted.persona.name} cannot be reached: {live.selection.persona.name} is still on the line."
            self._caller.tell(Error("persona_switch_failed", reason))
            self._line = replace(self._line, wanted=live.selection, fatal=False, ends=())
            if self._choice == wanted.choice:  # else the caller has asked for somebody else meanwhile
                self._choice, self._wish = live.selection.choice, live.selection.persona.id
            self._talk.restore(wanted.choice)
            self._go_on()
        else:
            self._caller.tell(Error(code, "The model cannot be reached: try again in a moment."))
            self._leave(Close(4503, "the model cannot be reached: try again in a moment"))

    # What the upstream says.

    def _learn(self, generation: int, event: Event) -> None:
        line = self._line
        leg = next((leg for leg in line.legs() if leg.generation == generation), None)
        if leg is None:
            return
        live = line.live is leg and leg.selection == line.wanted
        self._talk.learn(leg, live, event, self._clock())
        if isinstance(event, ReplyEnded) and live and event.status == "completed":
            self._line = replace(line, ends=())
            self._supervisor.tell(Answered(self.me))
        if isinstance(event, Speaking | Paused):
            self._spoke_at = self._clock()
        if isinstance(event, ReplyEnded | AskFailed | Committed) and live:
            self._go_on()
        if self._mode == "stream":
            self._pace()

    def _go_on(self) -> None:
        live = self._line.live
        if live and live.selection == self._line.wanted:
            self._talk.release(live, self._clock())

    def _pace(self) -> None:
        """Release what is due of a streamed reply, and look again when more is."""
        if (wait := self._talk.pace(self._clock())) is not None:
            self.after(wait, Pace())

    # Life.

    def _begin(self) -> None:
        equipment, self._clock = self._equipment, asyncio.get_running_loop().time
        self._began = self._spoke_at = self._clock()
        persona = self.hire(PersonaActor, self.me, equipment.catalogue)
        self._persona = persona
        self._talk = Conversation(self._caller, persona, Clips(equipment.pool, self.me))
        self.after(equipment.limits.idle_seconds, Quiet())
        self.after(equipment.limits.call_seconds, TimeUp())
        log.info("began session=%s user=%s", self._id, self._user)

    def _consider_leaving(self, message: Detached | Replaced | Stop | TimeUp | Quiet) -> None:
        match message:
            case Detached(connection):
                if connection == self._caller.connection:
                    self._leave()
            case Replaced():
                self._leave(Close(4409, "replaced by your newer connection: do not reconnect this one"))
            case Stop():
                self._caller.tell(Notice("draining", "The server is restarting: call again in a moment."))
                self._leave(Close(1001, "the server is restarting: call again in a moment"))
            case TimeUp():
                self._leave(Close(1000, "this call has reached its longest time: call again to go on"))
            case Quiet():
                quiet, limit = self._clock() - self._spoke_at, self._equipment.limits.idle_seconds
                if quiet >= limit - 0.001:  # or the rest of a rounding error is waited for
                    self._leave(Close(4408, f"nothing was said for {limit:.0f} s: call again to go on"))
                else:
                    self.after(limit - quiet, message)

    def _leave(self, close: Close | None = None) -> None:
        if self._leaving:
            return
        self._leaving = True
        self._supervisor.tell(Leaving(self.me, close.code if close else 1006))
        self._why = close.reason if close else "the connection is gone"
        if close:
            self._caller.tell(close)
        self._talk.close()
        legs, self._line = self._line.legs(), Line()
        for leg in legs:
            self._retire(leg)
        if not self._line.legs():
            self.end()

    def _child_ended(self, down: Down) -> None:
        leg = next((leg for leg in self._line.legs() if leg.bridge == down.ref), None)
        if leg is None or isinstance(down.cause, Overrun):  # the persona, whose policy is to escalate, or a flood
            self.end(down.cause or RuntimeError(f"the {down.name} of session {self._id} ended"))
            return
        retired = leg in self._line.retiring
        was_live = leg is self._line.live
        self._line = self._line.without(leg.generation)
        if self._leaving and not self._line.legs():
            self.end()
        if retired or self._leaving:
            return
        log.warning("session=%s lost generation %d: %s", self._id, leg.generation, down.cause)
        self._equipment.figures.upstream_lost += 1
        if isinstance(down.cause, AccountRefused):
            self._supervisor.tell(Barred(str(down.cause)))
        fatal = self._line.fatal or isinstance(down.cause, UpstreamRefused)
        self._line = replace(self._line, ends=(*self._line.ends, self._clock()), fatal=fatal)
        if was_live:
            self._talk.lost(leg)
            if self._mode == "stream":
                self._pace()
            self._caller.tell(Notice("reconnecting", "The connection to the model was lost and is being made again."))
        self._steer()

    def on_stop(self) -> None:
        self._talk.close()
        told = " ".join(f"{what}={n}" for what, n in (self._counted | self._talk.tally).items())
        seconds = self._clock() - self._began
        log.info("ended session=%s user=%s seconds=%.1f %s why=%r", self._id, self._user, seconds, told, self._why)
