"""How long one caller waits without a word, as they know it themselves: by what they said, and what they were told."""

from dataclasses import dataclass, field

from actors.call.watch import For, table
from actors.messages.caller import (
    AudioResponse,
    Chose,
    Close,
    ConfigAck,
    Error,
    FromCaller,
    HungUp,
    Interrupted,
    Mode,
    Notice,
    Recorded,
    ResponseDone,
    ResponseStarted,
    Sound,
    SpeechStarted,
    SpeechStopped,
    ToCaller,
    Typed,
)
from actors.services import Limits
from tests.simulation.world import VOICES, World

ROWS = table(Limits())
SLACK = 3.0  # seconds: a clip is decoded late, the line takes its time, and a turn waits for the one before it
REST = ROWS[For.REST].ends + ROWS[For.REST].looks
LATE_END = 10.0  # where the end of a reply is lost, the bridge ends it at its second look
LONGEST: dict[str, float] = {
    "choice": ROWS[For.FIRST].ends - ROWS[For.FIRST].told,
    "connection": ROWS[For.BACK].ends,
    "answer": REST,
    "rest": ROWS[For.STALL].ends,  # of an answer that they hear
    "whole answer": ROWS[For.ANSWER].ends + REST,  # the caller knows nothing of one that has begun
    "end of words": 20.0 + ROWS[For.PAUSE].ends,  # they speak for less, and may be heard to speak longer
    "put off": 20.0 + ROWS[For.LATER].ends,  # for so long the upstream may have no time (realtime/client/errors.py)
}
"""For each thing that a caller may wait for, after how many seconds at most they have heard something of it."""


@dataclass(eq=False)
class Patience:
    """Of one call: `owed` is what the caller waits for, `heard_at` when they last knew something of it."""

    world: World
    name: str
    owed: set[str] = field(default_factory=set)
    heard_at: float = 0.0
    speaking: bool = False
    away: bool = False  # they cannot hear anything, or hear late of what was said before

    def says(self, message: FromCaller, mode: Mode, connected: bool = True) -> None:
        """The caller says something."""
        if self.away and connected and isinstance(message, Chose | Typed | Recorded):
            self.away, self.speaking = False, False
            self.owed.clear()
        match message:
            case Chose(wish, changed):
                if changed:  # what is not answered is over
                    self._over("answer", "whole answer", "put off", "end of words")
                if wish in VOICES:  # they wait for this one, not for another that they chose before
                    self._over("choice")
                    self._begin("choice")
            case Typed() | Recorded():
                self._begin("answer" if mode == "stream" else "whole answer")
            case Interrupted() | HungUp():
                self._over("answer", "whole answer", "put off", "end of words")

    def hears(self, message: ToCaller) -> None:
        """The caller is told something."""
        self.check()
        match message:
            case ConfigAck():
                self._over("choice", "connection", "end of words")
            case Notice(code="resumed"):
                self._over("connection")
            case Notice(code="reconnecting"):
                self._over("end of words")
                self.owed.add("connection" if "lost" in message.message else "choice")
                if "rest" in self.owed:
                    self._over("rest")
                    self.owed.add("answer")
            case Notice(code="waiting"):
                self.owed.add("put off")
            case Notice(code="minute" | "draining"):
                return
            case SpeechStarted():
                self.speaking = True
                self._over("answer", "rest", "whole answer", "put off")
                self._begin("end of words")
            case AudioResponse() | ResponseDone() | Error():
                over = ["choice"] if isinstance(message, Error) else []
                self._over("answer", "rest", "whole answer", "put off", *over)
            case Notice(code="say_again" | "switching"):
                self._over("answer", "rest", "whole answer", "put off", "end of words")
            case SpeechStopped() if self.speaking:
                self.speaking = False
                self._over("end of words")
                self._begin("answer")
            case Close():
                self.owed.clear()
            case ResponseStarted() | Sound():
                self.speaking = False  # or it was told too late that they have stopped
                self._over("end of words")
                if isinstance(message, Sound):
                    self._over("answer")
                    self.owed.add("rest")
            case _:
                return
        self.heard_at = self.world.now

    def check(self) -> None:
        """They have not waited for too long."""
        if self.owed and not self.away and not self.world.faults:
            waits = self.world.now - self.heard_at
            late_end = LATE_END if self.world.damaged and "rest" in self.owed else 0.0
            if waits > max(late_end, *(LONGEST[what] for what in self.owed)) + SLACK:
                self.world.wrong(f"{self.name} has waited for {waits:.1f} s for {self.owed}, and heard nothing")

    def _begin(self, what: str) -> None:
        self.check()
        self.heard_at = self.world.now if not self.owed else self.heard_at
        self.owed.add(what)

    def _over(self, *what: str) -> None:
        self.owed.difference_update(what)
