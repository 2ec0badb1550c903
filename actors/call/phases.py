"""Where the time of a turn goes: from the end of what the caller said to the first sound of the answer.

The session's clock, in seconds. Each phase is counted from the one before it:

    the caller stops ──heard──▶ ──committed──▶ ──created──▶ ──first_audio──▶ ──released──▶ the caller's player

A typed turn and a clip begin where they are asked for, so that they have no `heard` and no `committed`. What a call
does not release as it comes (a whole reply, for clips) has no `released`. A turn has each phase once: what a second
connection makes of the same answer does not count again.
"""

from array import array
from collections.abc import Iterable
from enum import Enum

from actors.call.trace import UNTRACED, Trace
from actors.counters import Counters
from upstream.facts import TurnId

MOST_TURNS = 16  # that are watched at once: of more the oldest is forgotten
MOST_KEPT = 100  # of each phase: the newest turns of a long call


class Phase(Enum):
    """What a turn reaches, in this order."""

    HEARD = "heard"
    COMMITTED = "committed"
    CREATED = "created"
    FIRST_AUDIO = "first_audio"
    RELEASED = "released"


ORDER = {phase: place for place, phase in enumerate(Phase)}


class Phases:
    """The turns of one call. It is told once for each phase of a turn, never for a frame."""

    def __init__(self, counters: Counters, trace: Trace = UNTRACED) -> None:
        self._counters, self._trace = counters, trace
        self._held = False
        self._reached: dict[TurnId, tuple[int, float]] = {}  # turn -> the place of its last phase, and when that was
        self._kept: dict[Phase, array[float]] = {phase: array("f") for phase in Phase}

    def heard(self, turn: TurnId, late: float, now: float) -> None:
        """The model says that the caller has stopped, so many seconds late."""
        if turn and turn not in self._reached:
            self._trace.asked(turn, now, late)
            self._note(Phase.HEARD, late)
            self._begin(turn, Phase.HEARD, now)

    def asked(self, turn: TurnId, now: float) -> None:
        """A whole turn is put to the model: it has no phases before this."""
        if turn not in self._reached:
            self._trace.asked(turn, now)
            self._begin(turn, Phase.COMMITTED, now)

    def reached(self, turn: TurnId, phase: Phase, now: float) -> None:
        """A turn has come so far; of a turn that nobody has begun, or that was there before, nothing is noted."""
        self._trace.reached(turn, phase.value, now)
        place, since = self._reached.get(turn, (len(ORDER), now))
        if ORDER[phase] <= place:
            return
        self._note(phase, now - since)
        self._reached[turn] = (ORDER[phase], now)

    def hold(self, held: bool) -> None:
        """The sound of a reply is held back from now on, because too much of it is not acknowledged, or it goes on."""
        if held and not self._held:
            self._counters.sound_held += 1
        self._held = held

    @property
    def latest(self) -> dict[str, float]:
        """The newest of each phase, in seconds."""
        return {phase.value: kept[-1] for phase, kept in self._kept.items() if kept}

    def told(self) -> dict[str, str]:
        """For the log: of each phase the median and the 95th percentile, in seconds."""
        noted = ((phase.value, kept) for phase, kept in self._kept.items() if kept)
        told = ",".join(f"{name}:{at(kept, 0.5):.2f}/{at(kept, 0.95):.2f}" for name, kept in noted)
        return {"phases": told} if told else {}

    def _begin(self, turn: TurnId, phase: Phase, now: float) -> None:
        self._reached[turn] = (ORDER[phase], now)
        if len(self._reached) > MOST_TURNS:
            del self._reached[next(iter(self._reached))]

    def _note(self, phase: Phase, seconds: float) -> None:
        self._counters.phases[phase.value].add(seconds)
        kept = self._kept[phase]
        kept.append(seconds)
        if len(kept) > MOST_KEPT:
            del kept[0]


def at(values: Iterable[float], share: float) -> float:
    """The value below which this share of them lies, by the nearest rank."""
    ranked = sorted(values)
    return ranked[min(int(len(ranked) * share), len(ranked) - 1)]
