"""RegistrarActor: the talk of one server with the register of its fleet, about calls."""

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from actors.fleet.call_questions import Answer, ClaimAnswered, EpochsAnswered, Questions, SaveAnswered
from actors.fleet.lives import Lives
from actors.fleet.waking import AllTold, AskAgain, FromWaking, HeldLongEnough, Slept, Waking
from actors.messages.moving import (
    Adopt,
    Announce,
    CallGone,
    FromRegistrar,
    Keep,
    NotTaken,
    TakeCall,
    TookCall,
    ToRegistrar,
)
from actors.runtime import Boot, LoopActor, Ref, Stop
from actors.services import Services
from register import Kicked, Register, YieldAsked


@dataclass(frozen=True, slots=True)
class RegisterCame:
    """The register answers again."""


@dataclass(frozen=True, slots=True)
class Idle:
    """No question is under way."""


RegistrarInbox: TypeAlias = (
    Boot | Stop | ToRegistrar | Kicked | YieldAsked | Answer | RegisterCame | Idle | FromWaking
)  # fmt: skip


class RegistrarActor(LoopActor[RegistrarInbox]):
    """Lives as long as the supervisor. Told Stop, it ends when no question is under way any more."""

    name = "registrar"

    def __init__(self, services: Services, register: Register, supervisor: Ref[FromRegistrar]) -> None:
        super().__init__()
        self._register, self._supervisor = register, supervisor
        self._questions = Questions(register, self.me.tell, self._rests)
        self._lives = Lives(self._questions, services, supervisor)
        self._waking = Waking(self._lives, self._questions, services.gate, self.me.tell, self.after)
        self._stopping = False

    def on_receive(self, message: RegistrarInbox) -> None:
        match message:
            case Keep():
                self._lives.keep(message)
            case SaveAnswered(keep, saved, claim, moved):
                self._lives.saved(keep, saved, claim, moved)
            case Announce(session, user, hashed):
                self._lives.announce(session, user, hashed)
            case ClaimAnswered(session, claim):
                self._lives.claimed(session, claim)
            case Adopt(session, taken):
                self._lives.adopt(session, taken)
            case TakeCall(asked):
                self._questions.take(asked)
            case TookCall() | NotTaken():
                self._supervisor.tell(message)
            case CallGone(session):
                self._lives.gone(session)
            case Kicked():
                self._lives.kicked(message)
            case YieldAsked():
                self._lives.yield_(message)
            case RegisterCame():
                self._lives.came()
            case EpochsAnswered() | Slept() | AskAgain() | HeldLongEnough() | AllTold():
                self._waking.come(message)
            case Stop():
                self._stopping = True
                self._end_if_idle()
            case Idle():
                self._end_if_idle()
            case Boot():
                self._register.listen(self.me.tell)
                self._register.presence.on_change(self._changed)
                self._waking.watch()
            case _:
                assert_never(message)

    def _end_if_idle(self) -> None:
        if self._stopping and not self._questions.under_way:
            self.end()

    def _rests(self) -> None:
        if self._stopping:
            self.me.tell(Idle())

    def _changed(self, here: bool) -> None:
        if here and self.me.is_alive():
            self.me.tell(RegisterCame())

    def on_stop(self) -> None:
        self._questions.cancel()
        self._waking.stop()
