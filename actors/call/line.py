"""Which upstream connection a session has, wants and is getting: state, and one pure function of it.

Choosing, switching, reopening after a loss and rolling over before a session's limit are one act. Whatever happens
changes the `Line`; then `steer` says what to do next, until there is nothing to do. So the last choice wins, and no
flow needs states of its own.

A connection is a `Leg`. It moves through the places of the line:

              Open              Swap          Swap of the next              its Down
    (none) ──────────▶ coming ────────▶ live ──────────────────▶ retiring ──────────▶ (none)
                         │                                          ▲
                         └─────────────────── Discard ──────────────┘

One that is coming and holds nothing yet may become another persona (Retune). It may be swapped in once its bridge says
that it is the persona that is wanted: it is `ready`. One that is lost leaves the line at once, and counts among the
`ends` if it was live, among the `misses` if it was coming; one that was to relieve a live one counts as neither.

What `steer` does:

    wanted   coming                           live                         move
    ──────   ──────────────────────────────   ──────────────────────────   ──────────────────────────────────────
    nobody   -                                -                            nothing
    A        serves another, nothing said     -                            Retune
    A        serves another                   -                            Discard
    A        knows less than was said since   -                            Discard
    A        stands by                        serves A, all is silent      Discard (its answer came to an end)
    A        stands by                        serves A                     Look again
    A        is not ready                     -                            nothing
    A        is ready                         serves A, somebody speaks    Look again (a rollover waits for silence)
    A        is ready                         -                            Swap
    A        none                             serves A, not due yet        Look again when it is due
    A        none                             serves A, is due             Open, at a silent moment
    A        none                             none, or serves another      GiveUp, Wait, Look or Open: as often as the
                                                                           policy of SESSION_CHILDREN lets it
"""

from dataclasses import dataclass, field, replace
from math import inf
from typing import TypeAlias

from actors.messages.bridge import ToBridge
from actors.messages.ids import ChoiceId, Generation
from actors.runtime import Hired, Policy, Stop, Verdict
from personas import Persona
from upstream.models import Capabilities

SESSION_CHILDREN = {
    "persona": Policy(Verdict.ESCALATE),
    "bridge": Policy(Verdict.RESTART, limit=5, within=60.0, pause=0.5, longest=4.0),
}

MISSES = 8  # as many are remembered: the pause is the longest long before
LOOK_SECONDS = 0.5  # a silent moment is looked for so often, once it is wanted: a caller thinks for longer than that
LAST_SECONDS = 3.0  # before whoever is wanted is given up one more try begins: to be ready takes 1 to 2.5 s
RETRY_SECONDS = 15.0  # after a rollover that failed: some twenty tries before the connection ends by itself


@dataclass(frozen=True, slots=True)
class Selection:
    """A choice of the caller's that was granted; choices are numbered from 1."""

    choice: ChoiceId
    persona: Persona


@dataclass(frozen=True, slots=True)
class Leg:
    """One upstream connection: a generation, whom it serves, and its bridge once that is hired.

    `configured`: its bridge knows whom it is to serve, and whether it `listens` for the turns in a stream. `ready`: it
    is as it was told, but for how it listens while it is `tuning`. `empty`: it holds no item yet, so that while it is
    coming another persona may still take it over.
    `due` is when another should take over, well before it must be gone. `seeded`, of one that takes over from a live
    one: how much had been said in the call when it was told of it. `stands_by`: the answer of the live one falters, and
    may go on here; it takes over if the live one is lost, and else is not needed.
    """

    generation: Generation
    selection: Selection
    bridge: Hired[ToBridge | Stop] | None = None
    configured: bool = False
    listens: bool = False
    ready: bool = False
    tuning: bool = False
    empty: bool = True
    due: float = inf
    seeded: int | None = None
    stands_by: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """`wanted` by the caller, `live` to them now, `coming` to take over, `retiring` until their last facts are in.

    `ends` are the times at which connections that served were lost since the last completed reply: too many end the
    call. `misses` are those at which others were, that had never been ready: how long they may go on, the watch knows.
    `until` is when whoever is wanted will be given up, as far as that is known.
    `fatal` says that the upstream refused in a way that another try would not mend; before `rested` no connection is
    opened. `said` is how much has been said in the call, `silent` that at this moment nobody speaks or plays, and
    nothing waits.
    """

    wanted: Selection | None = None
    live: Leg | None = None
    coming: Leg | None = None
    retiring: tuple[Leg, ...] = ()
    ends: tuple[float, ...] = ()
    misses: tuple[float, ...] = ()
    until: float = inf
    fatal: bool = False
    rested: float = 0.0
    said: int = 0
    silent: bool = False
    can: Capabilities = field(default_factory=Capabilities)

    def legs(self) -> tuple[Leg, ...]:
        """All connections that are not gone yet."""
        return (*(leg for leg in (self.live, self.coming) if leg), *self.retiring)

    def leg(self, generation: Generation) -> Leg | None:
        """The connection of this generation, until it is gone."""
        return next((leg for leg in self.legs() if leg.generation == generation), None)

    def leg_of(self, bridge: object) -> Leg | None:
        """The connection of this bridge, until it is gone."""
        return next((leg for leg in self.legs() if leg.bridge == bridge), None)

    def untuned(self, listens: bool) -> tuple[Leg, ...]:
        """The connections of whoever is wanted that were told otherwise than to listen, or not to."""
        legs = (leg for leg in (self.live, self.coming) if leg and leg.configured and leg.selection == self.wanted)
        return tuple(leg for leg in legs if leg.listens != listens)

    def tuned(self, listens: bool) -> "Line":
        """The line once they were told; each must consent to it."""
        told = self.untuned(listens)
        live, coming = (
            replace(leg, listens=listens, ready=False, tuning=False) if leg in told else leg
            for leg in (self.live, self.coming)
        )
        return replace(self, live=live, coming=coming)

    def readied(self, generation: Generation, choice: ChoiceId, due: float, listens: bool = False) -> "Line":
        """The line once the connection of this generation is the persona of this choice; it is to serve until `due`.

        One that does not listen as it was told to has yet to hear of that: it may take over, and is `tuning` then.
        """

        def readied(leg: Leg | None) -> Leg | None:
            if not leg or leg.generation != generation or leg.selection.choice != choice:
                return leg
            tuning = leg.listens != listens
            return replace(leg, ready=leg is self.coming or not tuning, tuning=tuning, due=min(leg.due, due))

        return replace(self, live=readied(self.live), coming=readied(self.coming))

    def without(self, generation: Generation) -> "Line":
        """The line once the connection of this generation is gone."""
        live, coming = (None if leg and leg.generation == generation else leg for leg in (self.live, self.coming))
        if coming and self.live and not live and coming.seeded == self.said:
            coming = replace(coming, seeded=None)  # it knows all, and what is said from now on waits for it
        retiring = tuple(leg for leg in self.retiring if leg.generation != generation)
        return replace(self, live=live, coming=coming, retiring=retiring)

    def failed(self, leg: Leg, now: float) -> "Line":
        """The line once it counts that this connection has ended; it is gone already or about to go."""
        if leg is self.live:
            return replace(self, ends=(*self.ends, now))
        return replace(self, misses=(*self.misses, now)[-MISSES:])

    def rolls_over(self, leg: Leg) -> bool:
        """Whether this connection is to take over from one that serves as well."""
        return leg is self.coming and self.live is not None and self.live.selection == leg.selection


@dataclass(frozen=True, slots=True)
class Open:
    """Open a connection for this selection; it becomes `coming`. `seeded` as of a Leg."""

    selection: Selection
    seeded: int | None = None


@dataclass(frozen=True, slots=True)
class Retune:
    """Let this connection, on which nothing was said, be the wanted persona: `leg`, as it is to come."""

    leg: Leg


@dataclass(frozen=True, slots=True)
class Discard:
    """Nobody wants what this connection was opened for."""

    leg: Leg


@dataclass(frozen=True, slots=True)
class Swap:
    """`coming` takes the line in one step, `live` retires."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet, because others were lost: look again in so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Look:
    """Nothing to do yet: look again in so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The wanted persona cannot be had: another try would not help, or those who serve are lost again and again."""


Move: TypeAlias = Open | Retune | Discard | Swap | Wait | Look | GiveUp


def steer(line: Line, now: float) -> Move | None:
    """What to do next, or None when all is as wanted or under way. `now` is in seconds, on the clock of `ends`."""
    wanted, live, coming = line.wanted, line.live, line.coming
    if wanted is None:
        return None
    if coming is not None:
        return _await(line, wanted, coming)
    if live is not None and live.selection == wanted:
        return _roll_over(line, live, now)
    policy = SESSION_CHILDREN["bridge"]
    if line.fatal or policy.judge(line.ends, now) is Verdict.ESCALATE:
        return GiveUp()
    if seconds := _pause(line, now):
        return Wait(seconds)
    return Look(line.rested - now) if now < line.rested else Open(wanted)


def _pause(line: Line, now: float) -> float:
    """Seconds until the next try: as the policy says, but one is always made shortly before it is too late for any."""
    tries, last = (*line.ends, *line.misses), line.until - LAST_SECONDS
    seconds = SESSION_CHILDREN["bridge"].wait(tries, now)
    return min(seconds, max(0.0, last - now)) if max(tries, default=now) < last else seconds


def _await(line: Line, wanted: Selection, coming: Leg) -> Move | None:
    """A connection is coming: is it still what is needed?"""
    if coming.selection != wanted:
        if _retunable(line.can, coming, wanted):
            anew = replace(coming, configured=False, ready=False, tuning=False, due=inf, seeded=None, stands_by=False)
            return Retune(replace(anew, selection=wanted))
        return Discard(coming)
    if coming.seeded is not None and coming.seeded != line.said:
        return Discard(coming)  # it does not know what was said meanwhile
    if coming.stands_by and line.live:
        return Discard(coming) if line.silent else Look(LOOK_SECONDS)  # the answer went on by itself, or may yet
    if not coming.ready:
        return None
    return Swap() if line.silent or not line.rolls_over(coming) else Look(LOOK_SECONDS)


def _retunable(can: Capabilities, coming: Leg, wanted: Selection) -> bool:
    """It may become this persona: nothing was said on it, and what it was told may be changed, if it was told."""
    same_voice = coming.selection.persona.voice == wanted.persona.voice
    mutable = can.mutable_instructions and (same_voice or can.mutable_voice)
    return coming.empty and (mutable or coming.bridge is None)


def _roll_over(line: Line, live: Leg, now: float) -> Move | None:
    """All is as wanted. Another connection takes over before this one ends, at a moment at which nobody hears it."""
    due = max(live.due, line.rested)
    if due == inf:
        return None
    if now < due:
        return Look(due - now)
    return Open(live.selection, line.said) if live.ready and line.silent else Look(LOOK_SECONDS)
