"""What the caller says: every message is dispatched here. Audio of a stream comes 50 times a second, and goes first."""

from math import inf
from typing import assert_never

from actors.admission.rate import Rate
from actors.call.connection import Caller
from actors.call.conversation import Conversation
from actors.call.host import SwitchboardHost
from actors.call.inbound import WRONG_MODE
from actors.call.refusals import Refusals
from actors.call.room import Room
from actors.call.switchboard import Switchboard
from actors.messages.caller import (
    SLOW,
    Chose,
    Close,
    Error,
    FromCaller,
    HungUp,
    Interrupted,
    Malformed,
    Partial,
    Pinged,
    Played,
    Pong,
    Receipt,
    Recorded,
    ResumeAsked,
    SearchedPersona,
    Spoke,
    Stray,
    TooFast,
    Typed,
)
from schemas import Refused
from upstream.facts import BYTES_PER_MS

SECOND = 1000 * BYTES_PER_MS  # of audio
STRAY_SECONDS = 1.0  # a phone hears of a refusal a moment later, and has sent 50 more frames a second until then
HASTE_SECONDS = 30.0  # of a stream may come at once, however quiet it was before: a phone was out of reach for so long
MOST_SLOW = 2  # frames in a row that came too slowly: on a line that takes none, one more try is of no use
NO_RESUMING = "A call is resumed by the first message on a connection of its own: open one with ?resume=true."
NO_PERSONA = Error("no_persona", "Choose a persona first: send config with an astrologer_id.")


class Intake:
    """Does what a message means for the call, or says what is wrong with it."""

    def __init__(
        self,
        host: SwitchboardHost,
        caller: Caller,
        conversation: Conversation,
        switchboard: Switchboard,
        room: Room,
        refusals: Refusals,
    ) -> None:
        self._host, self._caller, self._switchboard = host, caller, switchboard
        self._conversation, self._inbound, self._outbound = conversation, conversation.inbound, conversation.outbound
        self._room, self._refusals = room, refusals
        self._haste = Rate(SECOND, HASTE_SECONDS * SECOND)
        self._strayed_at = -inf
        self._clip_unheard = False  # one came when nobody was chosen
        self._bytes = self._slow_frames = 0

    @property
    def ms(self) -> int:
        """How much audio of a stream has come."""
        return self._bytes // BYTES_PER_MS

    def hear(self, said: FromCaller) -> None:
        """A message has come from the caller."""
        now = self._host.clock()
        if not self._refusals.admit(now):
            return
        try:
            self._take(said, now)
        except Refused as refused:
            self._refusals.refuse(refused.code, refused.message, now)

    def _take(self, said: FromCaller, now: float) -> None:
        """Raises Refused."""
        match said:
            case Spoke(pcm):
                self._stream(pcm, now)
            case Played(response_id, ms):
                self._outbound.played(response_id, ms, now)
            case Receipt(received, more):
                self._received(received, more, now)
            case Pinged():
                self._caller.tell(Pong())
            case Chose() | SearchedPersona():
                self._choose(said)
            case Recorded() | Typed():
                self._slow_frames = 0
                self._turn(said, now)
            case Interrupted():
                self._conversation.interrupt(self._switchboard.line.live, now)
                self._switchboard.bridges.go_on()
            case HungUp():
                self._host.leave(Close(1000, "the call has ended"))
            case TooFast(reason, code, error):
                if error:
                    self._refusals.refuse(error, reason, now)
                self._close(Close(code, reason))
            case Partial():
                pass
            case ResumeAsked():
                raise Refused("bad_message", NO_RESUMING)
            case Malformed(code, reason):
                raise Refused(code, reason)
            case Stray(reason):
                self._stray(reason, now)
            case _:
                assert_never(said)

    def _close(self, close: Close) -> None:
        """What comes on this connection is not taken; a frame that comes too slowly may come over another one."""
        self._slow_frames += 1
        self._caller.handled -= 1  # it was no frame
        if close.code != SLOW or self._slow_frames > MOST_SLOW or not self._host.lose(close):
            self._host.leave(close)

    def _choose(self, said: Chose | SearchedPersona) -> None:
        """Choose, or switch, as far as the caller's token allows it. Raises Refused: not_allowed, switch_too_often."""
        wanted = said.astrologer_id if isinstance(said, Chose) else ""
        if reason := self._caller.identity.refusal(wanted, said.mode):
            if self._switchboard.choice:
                raise Refused("not_allowed", f"{reason[0].upper()}{reason[1:]}: nothing has changed.")
            self._caller.tell(Error("not_allowed", f"{reason[0].upper()}{reason[1:]}."))
            self._host.leave(Close(4403, reason))
            return
        self._caller.resumable = self._caller.resumable or said.resumable
        if isinstance(said, Chose):
            self._switchboard.choose(said)
        else:
            self._switchboard.seek(said)

    def _received(self, received: int, more: FromCaller | None, now: float) -> None:
        """The caller says how much they have, and perhaps something else, which holds whatever is wrong with that."""
        if more:
            self._take(more, now)
        if not self._caller.acknowledged(received):
            raise Refused("bad_message", "`received` is more than was sent on this connection.")
        self._host.pace()

    def _turn(self, said: Recorded | Typed, now: float) -> None:
        """A whole turn has come. Raises Refused: wrong_mode, busy."""
        choice = self._switchboard.choice or self._switchboard.choose_default()
        if not choice:
            self._nobody(said)
            return
        if isinstance(said, Recorded) and not self._switchboard.mode.takes("clip"):
            raise Refused("wrong_mode", WRONG_MODE["stream"])
        if self._inbound.turns.full:
            raise Refused("busy", "Several of your messages wait already: let them be answered first.")
        match said:
            case Recorded(clip, came_as):
                counted = self._room.take(clip, came_as)
                self._switchboard.mode.spoke("clip")
                self._inbound.recordings.add(choice, now, clip, counted)
            case Typed(text):
                self._inbound.type(choice, now, text)
                self._switchboard.bridges.go_on()

    def _nobody(self, said: Recorded | Typed) -> None:
        """Nobody is chosen who could answer: of clips it is said once, because each that is spoken is one."""
        if isinstance(said, Typed) or not self._clip_unheard:
            self._caller.tell(NO_PERSONA)
        self._clip_unheard = self._clip_unheard or isinstance(said, Recorded)

    def _stream(self, pcm: bytes, now: float) -> None:
        """Some more audio of a stream has come."""
        if not self._switchboard.choice and not self._switchboard.choose_default():
            if not self._bytes:
                self._caller.tell(NO_PERSONA)
            self._bytes += len(pcm)
            return
        if not self._switchboard.mode.streamed:
            if not self._switchboard.mode.takes("stream"):
                self._stray("", now)
                return
            self._switchboard.mode.spoke("stream")
        self._bytes += len(pcm)
        if self._haste.take(now, len(pcm)):
            self._inbound.stream.hear(pcm, now)
            return
        self._caller.tell(Error("too_many_messages", "Audio comes faster than anybody speaks: send it in real time."))
        self._host.leave(Close(4400, "audio came faster than anybody speaks: send it in real time"))

    def _stray(self, reason: str, now: float) -> None:
        """A binary frame has come that is no audio, or in a call of clips: say so once for all that is on its way."""
        if now - self._strayed_at < STRAY_SECONDS:
            return
        self._strayed_at = now
        if self._switchboard.mode.takes("stream"):
            self._refusals.refuse("bad_message", reason, now)
        else:
            self._refusals.refuse("wrong_mode", WRONG_MODE["clip"], now)
