"""PersonaActor: the memory and the meter of a call."""

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from actors.messages.caring import TakeCare
from actors.messages.persona import (
    BillClosed,
    CloseBill,
    FromPersona,
    Heard,
    MinutePassed,
    PauseMeter,
    Prepare,
    Prepared,
    Recall,
    Recalled,
    Remember,
    ResumeMeter,
    Spare,
    StartMeter,
    StopMeter,
    ToPersona,
)
from actors.runtime import Boot, Clock, LoopActor, Ref, Stop
from personas import Persona
from personas.meter import Meter
from personas.tab import Tab
from upstream.facts import Role, Setup, Turn, TurnId

SEEDED_TURNS = 20  # as many as a new connection is told; 6 to 20 worked


@dataclass(frozen=True, slots=True)
class MinuteOver:
    """A timer: one more minute may be full."""


PersonaInbox: TypeAlias = Boot | Stop | ToPersona | MinuteOver


class PersonaActor(LoopActor[PersonaInbox]):
    """It meters the time with each persona, remembers the turns of the call, and prepares upstream connections."""

    name = "persona"

    def __init__(self, session: Ref[FromPersona], clock: Clock, tab: Tab | None = None) -> None:
        super().__init__()
        self._session, self._clock = session, clock
        self._meter, self._told = Meter(tab), 0  # full minutes of which the session was told
        self._told_at = 0.0  # when: the bill never falls below what was told
        self._on_line: Persona | None = None
        self._minor = False
        self._late = 0.0  # so many seconds after the last sign of life the meter was stopped, because of that
        self._care, self._free = "", False  # a section of every prompt, and that no time is metered
        self._heard: dict[tuple[int, Role], tuple[str, str]] = {}  # (ask, role) -> (astrologer_id, text)

    def on_receive(self, message: PersonaInbox) -> None:
        match message:
            case Prepare():
                self._session.tell(self._prepared(message))
            case Remember(persona, ask, role, text):
                if not self._minor:
                    self._heard[ask, role] = (persona, text)
            case StartMeter(persona):
                self._on_line = persona
                self._start()
            case TakeCare(section, free):
                self._care, self._free = section, free
                self._start()
            case StopMeter():
                self._on_line = None
                self._meter.stop(self._clock.now())
            case Spare():
                self._minor = True
                self._heard.clear()
                self._start()
            case PauseMeter(at):
                self._late = max(0.0, self._told_at - at)
                self._meter.pause(at + self._late)
                self._await_minute()
            case ResumeMeter(seconds):
                self._meter.resume(self._clock.now(), max(0.0, seconds - self._late))
                self._await_minute()
            case MinuteOver():
                self._minute()
            case Recall():
                self._session.tell(self._recall())
            case Recalled():
                self._recollect(message)
            case CloseBill():
                self._meter.stop(self._clock.now())
                self._session.tell(BillClosed(self._meter.bill(self._clock.now())))
            case Boot():
                pass
            case Stop():
                self.end()
            case _:
                assert_never(message)

    # The meter.

    def _start(self) -> None:
        """The time of whoever is on the line is metered, unless the call is in care, or a minor would have to pay."""
        if self._on_line and not self._free and not (self._minor and self._on_line.behaviour.priced):
            self._meter.start(self._on_line, self._clock.now())
        else:
            self._meter.stop(self._clock.now())
        self._await_minute()

    def _await_minute(self) -> None:
        if left := self._meter.seconds_to_full_minute(self._clock.now()):
            self.after(left, MinuteOver())
        else:
            self.cancel(MinuteOver)

    def _minute(self) -> None:
        """A timer may fire a moment early: then a little of the minute is left, and it is set again."""
        now = self._clock.now()
        minutes = self._meter.priced_seconds(now) // 60
        if minutes > self._told:
            self._told, self._told_at = minutes, now
            self._session.tell(MinutePassed(self._meter.bill(now)))
        self._await_minute()

    # Memory.

    def _recall(self) -> Recalled:
        times = self._meter.kept(self._clock.now())
        turns = (Heard(TurnId(ask), role, of, text) for (ask, role), (of, text) in self._in_order() if text)
        return Recalled(tuple(turns), times, self._told)

    def _recollect(self, kept: Recalled) -> None:
        """The call comes from elsewhere."""
        self._heard = {(turn.ask, turn.role): (turn.persona, turn.text) for turn in kept.turns}
        self._meter.adopt(kept.times)
        self._told = kept.told

    def _in_order(self) -> list[tuple[tuple[int, Role], tuple[str, str]]]:
        return sorted(self._heard.items(), key=lambda turn: (turn[0][0], turn[0][1] == "assistant"))

    def _prepared(self, asked: Prepare) -> Prepared:
        persona = asked.persona
        instructions = persona.instructions(self._clock.wall(), asked.profile, minor=self._minor, care=self._care)
        setup = Setup(instructions, persona.voice, persona.language_code)
        return Prepared(asked.generation, persona, setup, self._turns(persona.id, asked.memory))

    def _turns(self, persona: str, memory: str) -> tuple[Turn, ...]:
        """The newest SEEDED_TURNS that the policy of memory lets this persona know, the oldest first."""
        if memory == "none":
            return ()
        shared = memory == "shared"
        known = [Turn(role, text) for (_, role), (of, text) in self._in_order() if text and (shared or of == persona)]
        return tuple(known[-SEEDED_TURNS:])
